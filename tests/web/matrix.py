"""Who may do what: every address, told once. `tests/web/test_permission_matrix.py` tries each as
everybody, and docs/permissions.md is this table, written by

python -m tests.web.matrix docs/permissions.md
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

WHO = ("viewer", "reviewer", "approver", "admin", "member of another run", "not signed in")

# What it takes: a role in the run, a role in the installation, or being signed in.
VIEWER, REVIEWER, APPROVER, ADMIN = "viewer", "reviewer", "approver", "admin"
ANYBODY, EVERYBODY = "anybody", "everybody"  # signed in; not even that
OWNER = "owner"  # signed in, for rows of one's own
LET_IN, LOGIN, TOO_LOW, UNSEEN, OWN = "yes", "login", "403", "404", "own"


@dataclass(frozen=True)
class Entry:
    """`methods`: what the address answers to at all. `of_run`: whether the role is one in a run."""

    name: str  # of the address
    what: str  # a page, or what is done there
    needs: str
    methods: str
    of_run: bool

    @property
    def outcomes(self) -> dict[str, str]:
        """Who gets what."""
        if self.needs == EVERYBODY:
            return dict.fromkeys(WHO, LET_IN)
        if self.needs == OWNER:
            return {**dict.fromkeys(WHO, OWN), WHO[5]: LOGIN}
        ranks = (VIEWER, REVIEWER, APPROVER, ADMIN)
        found = dict.fromkeys(ranks, LET_IN)
        if self.needs != ANYBODY:
            found |= dict.fromkeys(ranks[: ranks.index(self.needs)], TOO_LOW)
        elsewhere = UNSEEN if self.of_run else LET_IN if self.needs == ANYBODY else TOO_LOW
        return {**found, WHO[4]: elsewhere, WHO[5]: LOGIN}


def _run(needs: str, methods: str = "POST") -> Callable[..., list[Entry]]:
    return lambda **told: [
        Entry(name.replace("_", "-"), what, needs, methods, of_run=True)
        for name, what in told.items()
    ]


def _house(needs: str, methods: str) -> Callable[..., list[Entry]]:
    return lambda **told: [
        Entry(name.replace("_", "-"), what, needs, methods, of_run=False)
        for name, what in told.items()
    ]


SECTIONS: dict[str, list[Entry]] = {
    "Pages of a run": [
        *_run(VIEWER, "GET")(
            run_detail="the run",
            run_now="its progress",
            run_diagnosis="diagnosis",
            run_diagnosis_now="progress of the diagnosis",
            skill_words="what is behind a skill of it",
            run_graph="graph of skills",
            run_graph_now="progress on the graph",
            run_curriculum="curriculum",
            run_prompts="prompts",
            run_examples="examples of how solutions are written",
            run_prompts_now="progress of a trial of words",
            run_examples_now="progress of a trial of examples",
            run_costs="costs",
            run_report="report",
            run_report_json="report, as JSON",
            run_audit="audit log",
            run_audit_export="audit log, as a file",
            run_export="what can be taken out",
            run_dataset="data set, as a file",
            run_archive_file="the whole run, as a file",
            checkpoint_adapter="adapter, as a file",
            checkpoint_provenance="where a checkpoint came from",
            stage_detail="a stage",
            stage_now="its progress",
            stage_training="training",
            stage_gate="gate",
            stage_review="queue of items",
            stage_team="team",
            stage_replace_preview="what replacing words would change",
            stage_compose="form for an item",
            stage_rewriting="how far others are that were asked for",
            item_rendered="an item as the student sees it",
            item_provenance="where an item came from",
        ),
        *_run(VIEWER, "GET POST")(prompt_preview="a prompt as the teacher gets it"),
        *_run(REVIEWER, "GET")(run_check_move="what a move of a skill would break"),
        *_run(APPROVER, "GET")(run_domain_file="domain with its probes, as a file"),
    ],
    "The run": [
        *_run(REVIEWER)(
            run_diagnose="start or repeat the diagnosis",
            run_archive="archive the run, or take it back",
        ),
        *_run(APPROVER)(
            run_autonomy="change who decides",
            run_two_people="switch the two-person rule",
            run_budget="raise the budget",
            run_conclude="end the teaching",
            run_stop="stop the run for good",
        ),
    ],
    "Diagnosis and graph": [
        *_run(REVIEWER)(
            run_probe="probe more",
            skill_edit="change a skill",
            skill_retire="retire a skill",
            skill_restore="restore a skill",
            edge_add="add a prerequisite",
            edge_confirm="confirm a prerequisite",
            edge_refuse="refuse a prerequisite",
            edge_test="test a prerequisite",
            run_look_back="look at earlier checkpoints",
        ),
        *_run(APPROVER)(run_sign_diagnosis="sign the diagnosis"),
    ],
    "Curriculum and prompts": [
        *_run(REVIEWER)(
            run_replan="plan the stages again",
            run_go_back="bring back an earlier version of the stages",
            run_back="go back to the diagnosis",
            run_move_skill="move a skill",
            stage_split="split a stage",
            stage_merge="merge stages",
            stage_reorder="reorder stages",
        ),
        *_run(APPROVER)(
            run_sign_curriculum="sign the curriculum",
            run_plan_rest="plan what is left again",
            run_keep_plan="keep the plan as it is",
            prompt_change="change a prompt",
            skill_examples="change the examples of a skill",
            skill_examples_try="try the examples of a skill",
            prompt_roll_back="roll a prompt back",
            prompt_try="try a prompt",
        ),
    ],
    "Items": [
        *_run(REVIEWER)(
            stage_open="start a stage",
            item_look="say that one looks at an item",
            item_approve="approve an item",
            item_reject="reject an item",
            item_edit="change an item's words",
            item_undo="take a verdict back",
            item_tag="tag an item",
            item_untag="take a tag off",
            item_opinion="give an independent opinion",
            stage_undo="take back an act on many",
            stage_approve_all="approve all that match",
            stage_reject_all="reject all that match",
            stage_reject_flagged="reject all that are flagged",
            stage_rewrite_all="reject all that match, and have others written",
            stage_tag_all="tag all that match",
            stage_replace="replace words",
            stage_write_item="write an item",
            filter_save="keep a filter",
            filter_remove="remove a filter",
        ),
        *_run(REVIEWER, "GET POST")(run_import="import items"),
        *_run(APPROVER)(
            item_adjudicate="adjudicate an item",
            stage_share_out="share items out",
            stage_sample="draw a sample",
            sample_approve_rest="approve the rest on a sample",
            stage_guideline="write the guidelines",
        ),
    ],
    "Training and gate": [
        *_run(REVIEWER)(gate_remedy="ask for another round"),
        *_run(APPROVER)(
            stage_train="freeze the items and train",
            stage_roll_back="give up a round in review",
            gate_advance="let a stage pass",
            gate_waive="let a stage pass without the evidence",
            gate_roll_back="roll a stage back",
        ),
    ],
    "Jobs": [
        *_run(REVIEWER)(job_cancel="cancel a job", job_retry="retry a job"),
    ],
    "People": [
        *_run(VIEWER, "GET")(run_people="who belongs to the run"),
        *_run(ADMIN)(
            member_add="add a member",
            member_change="change a member's role",
            member_remove="remove a member",
            run_invite="invite somebody",
            invitation_withdraw="withdraw an invitation",
            run_closed="close the run to all but members, or open it",
        ),
        *_house(EVERYBODY, "GET POST")(invitation_join="join by the link of an invitation"),
        *_house(ANYBODY, "GET")(session_list="where one is signed in"),
        *_house(ANYBODY, "POST")(
            session_end="end a session of one's own",
            session_end_others="end all other sessions of one's own",
        ),
    ],
    "The installation": [
        *_house(EVERYBODY, "GET")(healthz="whether the database answers", bar="the bar's counts"),
        *_house(EVERYBODY, "GET POST")(login="sign in"),
        *_house(EVERYBODY, "POST")(logout="sign out"),
        *_house(ANYBODY, "GET")(
            run_list="list of the runs that one sees",
            run_compare="runs that one sees, side by side",
            job_list="list of their jobs",
            glossary="what the words of the pages mean",
            token_list="one's own API tokens",
            password_change_done="that the password was changed",
        ),
        *_house(ANYBODY, "GET POST")(password_change="change one's password"),
        *_house(ANYBODY, "POST")(token_make="make an API token"),
        *_house(OWNER, "POST")(token_revoke="revoke an API token"),
        *_house(VIEWER, "GET")(domain_list="what can be taught"),
        *_house(REVIEWER, "GET POST")(run_create="make a run"),
        *_house(APPROVER, "GET POST")(archive_import="import a run", domain_add="add a domain"),
        *_house(ADMIN, "GET")(
            house_audit="audit log of the house",
            house_audit_export="audit log of the house, as a file",
        ),
    ],
}
MATRIX = {entry.name: entry for entries in SECTIONS.values() for entry in entries}

HEAD = """\
# Who may do what

Each page and each action, and what it answers to whom. *yes*: it is done or shown, or refused for
another reason than the person. *403*: a sentence says which role it takes and who can give it.
*404*: as if there were no such run. *own*: what is
one's own, and 404 for what is not. *login*: the login page.

A role counts in a run: as its member, or, in a run that is open, by the groups
([people](people.md)). Under *The installation* it is the role by the groups that counts. The admin
at `/admin/` is for accounts marked as staff, and is not told here; where signing in at a provider
is switched on, `/oidc/main/login/` and its callback are for everybody. The REST API asks for a
scope of the token and the same roles ([api](api.md)).

Every cell is tried by `tests/web/test_permission_matrix.py`, in a run for its members only. This
page is written by `python -m tests.web.matrix docs/permissions.md`; a test says when it is out of
date.
"""


def page() -> str:
    """The whole page, in Markdown. Pure."""
    parts = [HEAD]
    for title, entries in SECTIONS.items():
        parts.append(f"\n## {title}\n\n| what | address | {' | '.join(WHO)} |\n")
        parts.append("|---|---|" + "---|" * len(WHO) + "\n")
        for entry in entries:
            cells = " | ".join(entry.outcomes[who] for who in WHO)
            parts.append(f"| {entry.what} | `{entry.name}` ({entry.methods}) | {cells} |\n")
    return "".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
