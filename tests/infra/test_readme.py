from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
TREE = README.partition("## What stands where")[2].split("```")[1]


def test_the_tree_names_every_file_and_folder_of_the_three_rooms():
    missing = [
        str(path.relative_to(ROOT))
        for room in ("ioa_web", "curriculum", "distill")
        for path in (ROOT / room).iterdir()
        if not re.match(r"__|migrations$|apps\.py$", path.name)
        and not re.search(rf"(?<![\w/]){re.escape(path.name)}", TREE)
    ]

    assert missing == []


def test_the_tree_names_every_command():
    [line] = re.findall(r"management/commands/ +(.*)", TREE)
    commands = (ROOT / "curriculum" / "management" / "commands").glob("[a-z]*.py")

    assert sorted(line.split(", ")) == sorted(path.stem for path in commands)


def test_every_switch_of_the_tests_is_told():
    told = re.findall(r"`(IOA_TEST_[A-Z_]+)`", (ROOT / "CONTRIBUTING.md").read_text())
    read = r"environ(?:\.get\(|\[)\s*\"(IOA_TEST_[A-Z_]+)"
    used = {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(read, path.read_text())
    }

    assert used == set(told)


def test_the_tree_names_nothing_that_is_not_there():
    top = ""
    for line in TREE.strip().splitlines():
        names = re.findall(r"(?<![\w/])[\w.]+(?:\.py|/)(?:[a-z]+/)?", line)
        if not line.startswith(" ") and names and (ROOT / names[0]).is_dir():
            top = names[0] if len(names) == 1 else ""
        for name in names:
            assert (ROOT / name).exists() or (ROOT / top / name).exists(), f"{name}: {line}"


def test_its_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README)

    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_its_commands_are_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()

    pages = README + (ROOT / "CONTRIBUTING.md").read_text()

    for target in re.findall(r"(?:`|^    )make ([a-z-]+)", pages, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
