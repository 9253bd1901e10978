"""How far judges agree with people, as the API shows it."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.mentions import Filter
from api.shown import Moment, Shown, Wanted


class LabelAgreementShown(Shown):
    """One label, on the mentions where a person gave it."""

    compared: int = Field(description="Corrected mentions on which both said something.")
    agreed: int
    macro_f1: float | None = Field(
        description="Over the classes that the person or the judge named; null without mentions."
    )
    recall: dict[str, float] = Field(description="By the person's class.")
    confusion: dict[str, dict[str, int]] = Field(
        description="`confusion[person][judge]`: how often the judge said that."
    )


class JudgeAgreementShown(Shown):
    """One judge (a version of a model) against people."""

    judge: str
    first_judged_at: datetime
    last_judged_at: datetime
    recall_of_critical: float | None = Field(
        description="The share of what people call critical that the judge does."
    )
    sentiment: LabelAgreementShown
    severity: LabelAgreementShown


class AgreementShown(Shown):
    """Every judge that graded a corrected mention, the latest at work first."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "corrected": 2,
                "judges": [
                    {
                        "judge": "neural-1+1a2b3c4d",
                        "first_judged_at": "2026-03-02T11:59:03Z",
                        "last_judged_at": "2026-03-02T12:10:03Z",
                        "recall_of_critical": 0.5,
                        "sentiment": {
                            "compared": 0,
                            "agreed": 0,
                            "macro_f1": None,
                            "recall": {},
                            "confusion": {},
                        },
                        "severity": {
                            "compared": 2,
                            "agreed": 1,
                            "macro_f1": 0.3333,
                            "recall": {"critical": 0.5},
                            "confusion": {"critical": {"critical": 1, "medium": 1}},
                        },
                    }
                ],
            }
        }
    )

    corrected: int = Field(description="Mentions that a person corrected.")
    judges: list[JudgeAgreementShown]


class AgreementQuery(Wanted):
    """Which corrected mentions count."""

    brand: Filter = Field([], description="Slug or id; repeat for several.")
    from_: Moment | None = Field(None, alias="from", description="Corrected at or after.")
    to: Moment | None = Field(None, description="Corrected before.")
