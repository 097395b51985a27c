"""Why the model gives its answer and not another, in words that measured numbers carry."""

from functools import cached_property

from hematovision.content import content
from hematovision.content.concepts import Change, concepts
from hematovision.content.phrases import phrases
from hematovision.vision.classifier import Prediction
from hematovision.vision.evidence import seen
from hematovision.vision.explain import Explanation, Knowledge, explain


class Reasons:
    """Safe to share between threads."""

    @cached_property
    def knowledge(self) -> Knowledge:
        """Raises DataError."""
        return Knowledge(content(), phrases(), concepts())

    def why(self, prediction: Prediction, other: str | None = None) -> Explanation:
        """Why its answer, and why not `other`, the runner-up by default. Raises InputError for an unknown class."""
        return explain(prediction, self.knowledge, other)

    def what_would_change(self, prediction: Prediction) -> tuple[Change, ...]:
        """Which single attributes, with another value, would change what the concept model says of the cell."""
        return self.knowledge.concepts.what_would_change(seen(prediction))
