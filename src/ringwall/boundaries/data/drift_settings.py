"""What is watched for bias and drift between versions of a collection, and how much raises a finding."""

from pydantic import Field

from ringwall.core import Settings


class DriftSettings(Settings):
    """A finding needs both: a test that is significant among all tests made, and an effect of this size.

    Effects are those of Cohen (1988) unless said otherwise; 0.1 is small, 0.3 medium, 0.5 large for ``V``.
    """

    labels: tuple[str, ...] = ()
    """Columns that hold what a model learns to tell, such as ``label``; nested ones with dots. Empty: those
    with the usual names are found."""
    groups: tuple[str, ...] = ()
    """Columns that hold a group of people, such as ``gender``. Empty: those of usual names."""
    significance: float = Field(default=0.02, gt=0.0, lt=1.0)
    """Share of false alarms among what is significant in a family of tests, at most (Benjamini and Hochberg
    1995). Three families: labels within groups, speech about groups, all else; so at the default up to 6 of
    100 comparisons with nothing in them have a finding (measured at 1,000 rows: 5 of 100, 95% interval 2 to
    11%)."""
    distribution: float = Field(default=0.1, gt=0.0, le=1.0)
    """Cramer's V from which a shift of a column's values, of topics or of languages is raised."""
    share: float = Field(default=0.15, gt=0.0, le=3.2)
    """Cohen's h from which a share (missing values, duplicates, formats, mentions) is raised."""
    label_share: float = Field(default=0.08, gt=0.0, le=3.2)
    """Cohen's h from which the share of a label within a group is raised."""
    shape: float = Field(default=0.1, gt=0.0, le=1.0)
    """Kolmogorov and Smirnov's D from which lengths and numbers are raised."""
    tone: float = Field(default=0.25, gt=0.0)
    """Cohen's d from which the sentiment of texts with a group term is raised."""
    association: float = Field(default=1.0, gt=0.0)
    """Change in log odds from which words beside a group term are raised."""
    relabelled: float = Field(default=0.01, gt=0.0, le=1.0)
    """Share of the texts of both versions whose label changed, from which that is raised."""
    texts: int = Field(default=20_000, ge=100, le=1_000_000)
    """Texts of each version that are read for tone, topics and languages: a sample that stays the same."""
