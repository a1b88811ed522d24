"""The words of the pages, for who sees them for the first time."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from curriculum.htmx import show
from curriculum.views.common import anybody

PAGE = "curriculum/glossary.html"
PART = "curriculum/partials/_glossary.html"

WORDS: dict[str, dict[str, str]] = {
    "Who teaches whom": {
        "teacher": "The model, or the program, that sets the mark and writes what is trained on.",
        "student": "The small model that is taught. Everything is measured against its teacher.",
        "domain": "What can be taught: skills, what builds on what, and questions with answers.",
        "run": "One student taught by one teacher, from the first question to the report.",
        "skill": "The smallest thing that is taught and measured by itself, such as A2.",
        "transfer skill": "One that is never taught, only measured: what was learnt beyond.",
        "seed": "The number that random choices begin from: the same one makes the same again.",
    },
    "Finding out what is missing": {
        "diagnosis": "The first measurement: what of each skill the teacher can do and the student "
        "lacks. It is signed before anything is planned.",
        "probe": "A question that only measures. It is never trained on.",
        "split": "What a question is kept for: train, diagnose, gate or final. "
        "None serves two of them.",
        "grader": "What says how right an answer is, from 0 to 1: exact compares words, "
        "number compares values.",
        "gap": "What of the teacher's score the student lacks: 0% lacks nothing, 100% all.",
        "interval": "Where the true value lies 95 times in 100. More questions make it narrower.",
        "deficient": "A skill whose gap is over the bound in the run's settings.",
        "prerequisite": "An arrow from one skill to another that builds on it. People confirm it, "
        "or it is measured.",
        "declared, observed, tested": "How a prerequisite is known: the domain says so, "
        "earlier trainings showed it, or a small one was made to find out.",
        "confirmed, refused": "What a person says of a prerequisite. It counts over what "
        "was measured.",
        "severity": "How urgent a skill is: its own gap, and how strongly "
        "other skills depend on it.",
        "kinds of errors": "Wrong answers that went wrong in the same way.",
    },
    "The order": {
        "curriculum": "The stages of a run, in their order. It is signed before the first items "
        "are written, and what is still ahead can be changed later.",
        "stage": "Skills that are taught together, before the next ones.",
        "difficulty": "The mean gap of a stage's skills, from 0 to 1.",
        "step too large": "A stage that is much more difficult than the one before it.",
        "bridge": "A stage with small examples of a skill, before its full size.",
        "round": "One set of items, one training, one gate. A stage has one or several; the first "
        "is round 0.",
    },
    "What is trained on": {
        "item": "A question with a worked solution, written for this student.",
        "level": "How large an example is: 1 and 2 are small, 3 is full size.",
        "operations": "What was done to put an item in words that the student can take in: "
        "concrete things, steps, fewer at a time, one form, plain language.",
        "checks": "What a program looks at in every item: is it whole, is the answer right, "
        "does it repeat another.",
        "flagged": "A check failed. People look at it; it is never approved by itself.",
        "leak": "An item that repeats a question used for measuring. It is never trained on.",
        "rehearsal": "Items of skills that were taught before, trained on again so that they stay.",
        "beside": "Items of other stages in a round: a first look at what comes, and more of what "
        "was waived.",
        "mixture": "How much of a training is of which skill, and how much is rehearsal.",
        "agreement": "How far people who judged the same items alone came to the same verdict.",
        "guidelines": "What the reviewers of a run are to look for. They stand beside every item.",
        "sample": "Items drawn at random and looked at one by one, to tell how many of the others "
        "may be bad at most.",
        "provenance": "What an item or a checkpoint came from, step by step.",
    },
    "Training": {
        "frozen": "Kept as it is from here on. Approved items are, before they are trained on.",
        "snapshot": "The frozen items of one training, each in the version that was trained on.",
        "LoRA adapter": "The small file that a training makes. It lies on top of the student, "
        "whose own weights stay as they came.",
        "checkpoint": "The student after one training. All are kept; a stage that is not settled "
        "can begin again from the one before it.",
        "loss": "How surprised the student is by the right words, in nats a token. Less is better.",
        "learning rate": "How far each step of a training moves the student.",
        "token": "A piece of a word: what models read, write and are paid for by.",
    },
    "The gate": {
        "gate": "Where a round is measured, and somebody decides how to go on.",
        "ratio": "The student's score over the teacher's on the gate's questions.",
        "mastered": "The ratio is over the bound, and enough questions were asked to be sure.",
        "not yet, unclear": "Below the bound; or more questions would be needed to tell.",
        "forgotten": "Mastered before, and lost since.",
        "retention": "What is left of a skill that was mastered: its score now as a share of its "
        "score then.",
        "remedy": "Another round for what is not mastered, with new items.",
        "waive": "Go on all the same, with a reason that stays on record.",
        "roll back": "Begin the stage again from the student that it began with.",
    },
    "Who decides": {
        "sign": "Decide as a person, under one's own name.",
        "policy": "Rules that decide in place of people, where the run's autonomy lets them.",
        "autopilot": "Policy decides everything; each decision is on record as policy's.",
        "two-person rule": "Who wrote or approved items or started a training may not sign that "
        "gate.",
        "audit trail": "Who did what, when and why. Each entry is chained to the one before, "
        "so that none can be changed unseen.",
        "final questions": "Asked once, at the end. No model is asked them before.",
    },
}


@require_GET
@anybody
def glossary(request: HttpRequest) -> HttpResponse:
    return show(request, PAGE, PART, {"parts": WORDS})
