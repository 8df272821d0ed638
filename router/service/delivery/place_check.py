"""Checks where a CRM puts new deals: pipeline, stage and order method."""

from collections.abc import Iterable, Iterator, Sequence

from router.domain.delivery.catalogue import Catalogue, Named, Pipeline, Place, first, listed
from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.fix_codes import FixCode
from router.domain.delivery.outcome import Outcome
from router.service.delivery.ports import Check


def check_place(catalogue: Catalogue) -> Iterator[Check]:
    """Check pipeline, stage and order method of new deals."""
    place, pipelines = catalogue.place, catalogue.pipelines
    if pipelines is not None and place.pipeline:
        yield from _check_pipeline(place.pipeline, pipelines)
    if pipelines is not None and place.stage:
        yield from _check_stage(catalogue)
    if catalogue.methods is not None and place.method:
        method = first(catalogue.methods, place.method)
        if method is None or not method.active:
            code = FixCode.NO_METHOD
            if method:
                code = FixCode.METHOD_OFF

            fix = Outcome.of(code, methods=listed(_active(catalogue.methods)))
            yield Check.of(CheckCode.METHOD, False, fix, method=place.method)


def _check_pipeline(wanted: str, pipelines: Sequence[Pipeline]) -> Iterator[Check]:
    code = FixCode.NO_PIPELINE
    for pipeline in pipelines:
        if pipeline.id == wanted:
            if not pipeline.archived:
                return
            code = FixCode.PIPELINE_ARCHIVED

    present = [pipeline for pipeline in pipelines if not pipeline.archived]
    titles = listed(f"{pipeline.id} ({pipeline.title})" for pipeline in present)
    yield Check.of(CheckCode.PIPELINE, False, Outcome.of(code, pipelines=titles), pipeline=wanted)


def _check_stage(catalogue: Catalogue) -> Iterator[Check]:
    """Check that the stage belongs to the pipeline."""
    fix = _trouble_with_stage(catalogue.place, catalogue.pipelines or ())
    if fix is not None:
        yield Check.of(CheckCode.STAGE, False, fix, stage=catalogue.place.stage)


def _trouble_with_stage(place: Place, pipelines: Sequence[Pipeline]) -> Outcome | None:
    stages = {pipeline.id: first(pipeline.stages, place.stage) for pipeline in pipelines}
    owners = [pipeline for pipeline in pipelines if stages[pipeline.id]]
    wanted = next((pipeline for pipeline in pipelines if pipeline.id == place.pipeline), None)
    if not owners:
        return _no_stage(wanted, pipelines)
    if wanted is not None and wanted not in owners:
        present = listed(_active(wanted.stages))
        facts = {"found": owners[0].id, "pipeline": wanted.id, "stages": present}
        return Outcome.of(FixCode.OTHER_PIPELINE, **facts)
    if wanted is None and all(pipeline.archived for pipeline in owners):
        return Outcome.of(FixCode.STAGES_PIPELINE_ARCHIVED, pipeline=owners[0].id)
    if not any(stage.active for stage in stages.values() if stage):
        return Outcome.of(FixCode.STAGE_ARCHIVED)
    return None


def _no_stage(wanted: Pipeline | None, pipelines: Sequence[Pipeline]) -> Outcome:
    if wanted:
        pipelines = [wanted]
    every = list[str]()
    for pipeline in pipelines:
        every += _active(pipeline.stages)
    return Outcome.of(FixCode.NO_STAGE, stages=listed(every))


def _active(some: Iterable[Named]) -> list[str]:
    return [_with_title(named) for named in some if named.active]


def _with_title(named: Named) -> str:
    if not named.title:
        return named.id
    return f"{named.id} ({named.title})"
