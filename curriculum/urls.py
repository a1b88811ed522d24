"""Addresses. Names are noun-verb; what changes something answers to POST alone."""

from __future__ import annotations

from django.urls import path

from curriculum.views import (
    audit,
    diagnosis,
    exchange,
    gates,
    graph,
    importing,
    jobs,
    plan,
    reports,
    review,
    runs,
    stages,
)

app_name = "curriculum"
urlpatterns = [
    path("", runs.run_list, name="run-list"),
    path("bar/", runs.bar, name="bar"),
    path("runs/new/", runs.run_create, name="run-create"),
    path("runs/<int:pk>/", runs.run_detail, name="run-detail"),
    path("runs/<int:pk>/now/", runs.run_now, name="run-now"),
    path("runs/<int:pk>/diagnose/", runs.run_diagnose, name="run-diagnose"),
    path("runs/<int:pk>/stop/", runs.run_stop, name="run-stop"),
    path("runs/<int:pk>/conclude/", runs.run_conclude, name="run-conclude"),
    path("runs/<int:pk>/autonomy/", runs.run_autonomy, name="run-autonomy"),
    path("runs/<int:pk>/two-people/", runs.run_two_people, name="run-two-people"),
    path("runs/<int:pk>/archive/", runs.run_archive, name="run-archive"),
    # diagnosis and graph
    path("runs/<int:pk>/diagnosis/", diagnosis.run_diagnosis, name="run-diagnosis"),
    path("runs/<int:pk>/diagnosis/sign/", diagnosis.run_sign_diagnosis, name="run-sign-diagnosis"),
    path("runs/<int:pk>/diagnosis/now/", diagnosis.run_diagnosis_now, name="run-diagnosis-now"),
    path("runs/<int:pk>/diagnosis/probe/", diagnosis.run_probe, name="run-probe"),
    path("skills/<int:pk>/edit/", diagnosis.skill_edit, name="skill-edit"),
    path("skills/<int:pk>/retire/", diagnosis.skill_retire, name="skill-retire"),
    path("skills/<int:pk>/restore/", diagnosis.skill_restore, name="skill-restore"),
    path("runs/<int:pk>/graph/", graph.run_graph, name="run-graph"),
    path("runs/<int:pk>/graph/now/", graph.run_graph_now, name="run-graph-now"),
    path("runs/<int:pk>/graph/look-back/", graph.run_look_back, name="run-look-back"),
    path("runs/<int:pk>/edges/add/", graph.edge_add, name="edge-add"),
    path("edges/<int:pk>/refuse/", graph.edge_refuse, name="edge-refuse"),
    path("edges/<int:pk>/confirm/", graph.edge_confirm, name="edge-confirm"),
    path("edges/<int:pk>/test/", graph.edge_test, name="edge-test"),
    # curriculum
    path("runs/<int:pk>/curriculum/", plan.run_curriculum, name="run-curriculum"),
    path("runs/<int:pk>/curriculum/sign/", plan.run_sign_curriculum, name="run-sign-curriculum"),
    path("runs/<int:pk>/curriculum/replan/", plan.run_replan, name="run-replan"),
    path("runs/<int:pk>/curriculum/back/", plan.run_back_to_diagnosis, name="run-back"),
    path("runs/<int:pk>/curriculum/move-skill/", plan.run_move_skill, name="run-move-skill"),
    path("runs/<int:pk>/curriculum/check-move/", plan.run_check_move, name="run-check-move"),
    path("stages/<int:pk>/split/", plan.stage_split, name="stage-split"),
    path("stages/<int:pk>/merge/", plan.stage_merge, name="stage-merge"),
    path("stages/<int:pk>/reorder/", plan.stage_reorder, name="stage-reorder"),
    # a stage, round by round
    path("stages/<int:pk>/", stages.stage_detail, name="stage-detail"),
    path("stages/<int:pk>/now/", stages.stage_now, name="stage-now"),
    path("stages/<int:pk>/open/", stages.stage_open, name="stage-open"),
    path("stages/<int:pk>/train/", stages.stage_train, name="stage-train"),
    path("stages/<int:pk>/roll-back/", stages.stage_roll_back, name="stage-roll-back"),
    path("stages/<int:pk>/training/", stages.stage_training, name="stage-training"),
    path("stages/<int:pk>/review/", review.stage_review, name="stage-review"),
    path("stages/<int:pk>/approve-all/", review.stage_approve_all, name="stage-approve-all"),
    path(
        "stages/<int:pk>/reject-flagged/", review.stage_reject_flagged, name="stage-reject-flagged"
    ),
    path("items/<int:pk>/rendered/", review.item_rendered, name="item-rendered"),
    path("items/<int:pk>/approve/", review.item_approve, name="item-approve"),
    path("items/<int:pk>/reject/", review.item_reject, name="item-reject"),
    path("items/<int:pk>/edit/", review.item_edit, name="item-edit"),
    path("items/<int:pk>/undo/", review.item_undo, name="item-undo"),
    path("stages/<int:pk>/gate/", gates.stage_gate, name="stage-gate"),
    path("gates/<int:pk>/advance/", gates.gate_advance, name="gate-advance"),
    path("gates/<int:pk>/remedy/", gates.gate_remedy, name="gate-remedy"),
    path("gates/<int:pk>/waive/", gates.gate_waive, name="gate-waive"),
    path("gates/<int:pk>/roll-back/", gates.gate_roll_back, name="gate-roll-back"),
    # records
    path("runs/<int:pk>/report/", reports.run_report, name="run-report"),
    path("runs/<int:pk>/report.json", reports.run_report_json, name="run-report-json"),
    path("runs/<int:pk>/audit/", audit.run_audit, name="run-audit"),
    # out and in
    path("runs/<int:pk>/export/", exchange.run_export, name="run-export"),
    path("runs/<int:pk>/export/dataset.zip", exchange.run_dataset, name="run-dataset"),
    path("runs/<int:pk>/export/run.ioa.zip", exchange.run_archive_file, name="run-archive-file"),
    path("runs/<int:pk>/export/domain.yaml", exchange.run_domain_file, name="run-domain-file"),
    path(
        "checkpoints/<int:pk>/adapter.zip", exchange.checkpoint_adapter, name="checkpoint-adapter"
    ),
    path("runs/<int:pk>/import/", importing.run_import, name="run-import"),
    path("runs/import/", exchange.archive_import, name="archive-import"),
    path("jobs/", jobs.job_list, name="job-list"),
    path("jobs/<int:pk>/cancel/", jobs.job_cancel, name="job-cancel"),
    path("jobs/<int:pk>/retry/", jobs.job_retry, name="job-retry"),
]
