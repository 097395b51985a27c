"""Settings: the only reader of the environment, and the only place that knows where things lie."""

from functools import lru_cache
from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """Frozen. Each field can be set by an environment variable `HEMATOVISION_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix="HEMATOVISION_", frozen=True, env_ignore_empty=True, protected_namespaces=()
    )

    data: Path | None = Field(default=None, description="a folder with data sets, beside those on the Library page")
    home: Path = Field(
        default_factory=lambda: user_data_path("hematovision", appauthor=False),
        description="where answers, added folders and the index of the library are kept",
    )
    model: Path = Field(default=ROOT / "model", description="the folder with the model's files and its card")

    bank: Path = Field(default=ROOT / "quiz_bank", description="the folder with the embedded drawn cells and sets")

    instructors: str = Field(
        default="", description="ids of the learners who may teach, with commas; see docs/teach.md"
    )

    @property
    def instructor_ids(self) -> frozenset[str]:
        return frozenset(found for found in (part.strip() for part in self.instructors.split(",")) if found)

    @property
    def sets_folder(self) -> Path:
        """Drafts and published sets of this site's instructors."""
        return self.home / "sets"

    @property
    def own_cells(self) -> Path:
        """Drawn cells and sets that the learner kept, laid out like the bank. Not there before the first one."""
        return self.home / "drawn"

    @property
    def database(self) -> Path:
        return self.home / "hematovision.sqlite"

    @property
    def folders_file(self) -> Path:
        """Folders that were added to the library, one a line."""
        return self.home / "folders.txt"

    @property
    def index_folder(self) -> Path:
        return self.home / "index"


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
