"""THE DOOR between rows and `distill`: the only place of this app that imports it.

Nothing here decides or moves a status. What is computed comes back as plain values or as rows
that are not saved yet; `services` save them.
"""

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
    sentence,
    storable,
    students,
    teachers,
    write_report,
)
from curriculum.engine.diagnosing import Diagnosis, diagnose, probe_more, unclear
from curriculum.engine.exam import Keep
from curriculum.engine.exporting import domain_file, merge
from curriculum.engine.importing import Importer
from curriculum.engine.items import check_item, evidence_record, mixture, rendered
from curriculum.engine.observing import ROUNDS_NEEDED, History, Seen, look_back
from curriculum.engine.outlook import NextRound, next_round
from curriculum.engine.planning import outweighed, plan, severities_of, zpd_notices
from curriculum.engine.reporting import report
from curriculum.engine.slips import slips
from curriculum.engine.trials import Tested, TrialCost, run_trial, trial_cost
from curriculum.engine.work import assess, train, write
from distill.report import table as report_table

__all__ = [
    "ROUNDS_NEEDED",
    "Diagnosis",
    "DomainDescription",
    "History",
    "Importer",
    "Keep",
    "NextRound",
    "PlanRow",
    "Seen",
    "SkillRow",
    "Tested",
    "TrialCost",
    "assess",
    "check_item",
    "check_models",
    "clean_settings",
    "cycle",
    "default_settings",
    "describe_domain",
    "diagnose",
    "domain_file",
    "domains",
    "evidence_record",
    "look_back",
    "merge",
    "mixture",
    "next_round",
    "outweighed",
    "plan",
    "probe_more",
    "rendered",
    "report",
    "report_table",
    "run_trial",
    "sentence",
    "severities_of",
    "slips",
    "storable",
    "students",
    "teachers",
    "train",
    "trial_cost",
    "unclear",
    "write",
    "write_report",
    "zpd_notices",
]
