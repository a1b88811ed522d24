// Skills are dragged from stage to stage: a drop sends the form that stands in the chip, so that
// mouse and keyboard do the same. While a move is thought about the server is asked what it would
// say. Fragments replace the columns, hence the listeners on the document.
"use strict";

(() => {
  let dragged = null; // the chip
  let over = null; // the column

  const check = () => document.getElementById("move-check");
  const columnOf = (element) => element.closest?.("[data-stage]");
  const formOf = (chip) => chip?.querySelector("form[data-move]");

  async function ask(form, stage, column) {
    const region = check();
    if (!region) return;
    const about = new URLSearchParams({ skill: form.elements.skill.value, to_stage: stage });
    const response = await fetch(`${region.dataset.check}?${about}`);
    if (!response.ok || (column && column !== over)) return; // thought of something else by now
    const { refused, says } = await response.json();
    region.textContent = says;
    region.classList.toggle("is-refused", refused);
    if (column) column.classList.toggle("is-refused", refused);
  }

  function leave() {
    if (over) over.classList.remove("is-over", "is-refused");
    over = null;
  }

  document.addEventListener("dragstart", (event) => {
    const chip = event.target.closest?.(".chip[draggable]");
    if (!formOf(chip)) return;
    dragged = chip;
    chip.classList.add("is-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", chip.id);
  });

  function hold(event) {
    const column = dragged && columnOf(event.target);
    if (!column || column === columnOf(dragged)) return leave();
    event.preventDefault(); // a drop is allowed, and the server says what it thinks of it
    event.dataTransfer.dropEffect = "move";
    if (column === over) return;
    leave();
    over = column;
    column.classList.add("is-over");
    ask(formOf(dragged), column.dataset.stage, column);
  }
  document.addEventListener("dragenter", hold);
  document.addEventListener("dragover", hold);

  document.addEventListener("drop", (event) => {
    const column = dragged && columnOf(event.target);
    if (!column || column === columnOf(dragged)) return;
    event.preventDefault();
    const form = formOf(dragged);
    form.elements.to_stage.value = column.dataset.stage;
    form.requestSubmit();
  });

  document.addEventListener("dragend", () => {
    dragged?.classList.remove("is-dragged");
    dragged = null;
    leave();
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-move]");
    if (form?.elements.to_stage.value) ask(form, form.elements.to_stage.value, null);
  });
})();
