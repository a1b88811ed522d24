"""Asking probes and grading what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from distill.backends.base import Backend, Beat, Prompt, Reply, at_once, no_beat, stream
from distill.grading import GRADERS, Graders, grade
from distill.records import Answer, Probe, Score
from distill.settings import Sampling
from distill.statistics import mean_interval

Sink = Callable[[Sequence[tuple[Probe, Answer]]], object]
"""Takes the answers of one batch, as soon as they are graded: what is sunk survives a crash."""


def no_sink(answered: Sequence[tuple[Probe, Answer]]) -> None:
    """For callers who wait for the end."""


def ask(
    backend: Backend,
    probes: Sequence[Probe],
    *,
    batch_size: int = 64,
    max_tokens: int = 64,
    beat: Beat = no_beat,
    sink: Sink = no_sink,
    graders: Graders = GRADERS,
) -> list[Answer]:
    """Ask every probe once, greedily, and grade the answers. N probes in, N answers out, in order.

    batch_size: at most at once; fewer for a backend that works on fewer at the same time.

    Grades are in 0..1; a grader that fails grades 0 and leaves its error on the answer. Sinks
    what came before it beats, so that a stopped call has lost at most the batch in flight: ask
    again with the probes that are missing. Of a batch that a backend gives up, what it has
    answered all the same (`BackendError.replies`) is sunk as well, and what was graded before a
    judge was away.

    Deterministic as far as the backend is. Raises what `backend`, `beat` and `sink` raise.
    """
    answers: list[Answer] = []
    beat(0, len(probes))
    for start in range(0, len(probes), batch_size):
        batch = probes[start : start + batch_size]
        prompts = [
            Prompt(
                p.question,
                Sampling(max_tokens=max_tokens),
                reference=p.reference,
                skill=p.skill,
            )
            for p in batch
        ]
        given: dict[int, Answer] = {}
        for came in stream(backend, prompts, batch=at_once(backend, batch_size)):
            graded: list[tuple[Probe, Answer]] = []
            try:
                for place, reply in came:
                    given[place] = _graded(batch[place], reply, graders)
                    graded.append((batch[place], given[place]))
            finally:  # also where a judge is away
                if graded:
                    sink(graded)
            beat(len(answers) + len(given), len(probes))
        answers += [given[place] for place in range(len(batch))]
    return answers


def _graded(probe: Probe, reply: Reply, graders: Graders) -> Answer:
    worth, error = grade(probe, reply.text, graders=graders)
    tokens = reply.prompt_tokens + reply.reply_tokens
    return Answer(probe.id, reply.text, worth, tokens, error, is_cut=reply.truncated)


def score(skill: str, grades: Mapping[str, float] | Sequence[float], size: int | None) -> Score:
    """Mean grade on a skill's probes, with its 95 % interval.

    `size` is the number of questions that there are (None: practically unlimited). When all of
    them were asked the mean is exact, and the interval closes on it.
    """
    values = list(grades.values()) if isinstance(grades, Mapping) else list(grades)
    is_exhaustive = size is not None and len(values) >= size
    mean, low, high = mean_interval(values)
    if is_exhaustive:
        low = high = mean
    return Score(skill, len(values), mean, low, high, is_exhaustive)
