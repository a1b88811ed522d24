"""THE DOOR between rows and `distill`: the only place of this app that imports it.

Nothing here decides or moves a status. What is computed comes back as plain values or as rows
that are not saved yet; `services` save them.
"""

from curriculum.engine.authoring import tokens_of_calls
from curriculum.engine.bringing import (
    DomainLook,
    SkillCount,
    check_written,
    look_at_domain,
    look_at_file,
)
from curriculum.engine.checking import check_items
from curriculum.engine.costs import money_of
from curriculum.engine.describe import (
    DomainDescription,
    PlanRow,
    SkillRow,
    check_models,
    clean_settings,
    cycle,
    default_settings,
    describe_domain,
    domains,
    domains_folder,
    domains_titled,
    lacking_told,
    sentence,
    settings_of,
    settings_told,
    storable,
    students,
    teachers,
    too_long,
    with_prerequisites,
    write_report,
)
from curriculum.engine.diagnosing import Diagnosis, diagnose, probe_more, unclear
from curriculum.engine.exam import Keep
from curriculum.engine.examples import (
    MOST_EXAMPLES,
    asked_alone,
    check_examples,
    examples_of_domain,
    why_no_trial,
)
from curriculum.engine.exporting import domain_file, merge
from curriculum.engine.gating import assess
from curriculum.engine.importing import Importer
from curriculum.engine.items import evidence_record, may_advance, rendered, stalled, stands_on
from curriculum.engine.observing import ROUNDS_NEEDED, History, Seen, look_back
from curriculum.engine.outlook import NextRound, next_round
from curriculum.engine.passed import forgotten_by_now, way_back
from curriculum.engine.planning import (
    difficulty,
    holding,
    outweighed,
    plan,
    severities_of,
    zpd_notices,
)
from curriculum.engine.prompts import (
    PROMPT_NAMES,
    built_in_prompt,
    check_prompt,
    is_asked_in_words,
    templates_of,
)
from curriculum.engine.replanning import Rest, plan_rest
from curriculum.engine.reporting import difference, report
from curriculum.engine.rounds import mixture, spent_before
from curriculum.engine.slips import slips
from curriculum.engine.steering import aim_in_words, planned_aims
from curriculum.engine.team import (
    Agreement,
    agreement,
    is_shown,
    most_bad,
    needed,
    share_at_most,
)
from curriculum.engine.trials import Tested, TrialCost, run_trial, trial_cost
from curriculum.engine.trying import TRIED_ITEMS, TriedPrompt, preview, try_prompt
from curriculum.engine.trying_examples import TRIED_QUESTIONS, Outcome, try_shown
from curriculum.engine.work import rewrite, train, write
from distill.domains.base import FULL_LEVEL
from distill.report import table as report_table
from distill.structured import without_turns

__all__ = [
    "Agreement",
    "Diagnosis",
    "DomainDescription",
    "DomainLook",
    "FULL_LEVEL",
    "History",
    "Importer",
    "Keep",
    "MOST_EXAMPLES",
    "NextRound",
    "Outcome",
    "PROMPT_NAMES",
    "PlanRow",
    "ROUNDS_NEEDED",
    "Rest",
    "Seen",
    "SkillCount",
    "SkillRow",
    "TRIED_ITEMS",
    "TRIED_QUESTIONS",
    "Tested",
    "TrialCost",
    "TriedPrompt",
    "agreement",
    "aim_in_words",
    "asked_alone",
    "assess",
    "built_in_prompt",
    "check_examples",
    "check_items",
    "check_models",
    "check_prompt",
    "check_written",
    "clean_settings",
    "cycle",
    "default_settings",
    "describe_domain",
    "diagnose",
    "difference",
    "difficulty",
    "domain_file",
    "domains",
    "domains_folder",
    "domains_titled",
    "evidence_record",
    "examples_of_domain",
    "forgotten_by_now",
    "holding",
    "is_asked_in_words",
    "is_shown",
    "lacking_told",
    "look_at_domain",
    "look_at_file",
    "look_back",
    "may_advance",
    "merge",
    "mixture",
    "money_of",
    "most_bad",
    "needed",
    "next_round",
    "outweighed",
    "plan",
    "plan_rest",
    "planned_aims",
    "preview",
    "probe_more",
    "rendered",
    "report",
    "report_table",
    "rewrite",
    "run_trial",
    "sentence",
    "settings_of",
    "settings_told",
    "severities_of",
    "share_at_most",
    "slips",
    "spent_before",
    "stalled",
    "stands_on",
    "storable",
    "students",
    "teachers",
    "way_back",
    "templates_of",
    "tokens_of_calls",
    "too_long",
    "train",
    "trial_cost",
    "try_prompt",
    "try_shown",
    "unclear",
    "why_no_trial",
    "with_prerequisites",
    "without_turns",
    "write",
    "write_report",
    "zpd_notices",
]
