"""Settings of the API handler."""

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from uploads.settings import FromEnvironment, Setting


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        content_types: what a client may call such a file; the first one is stored.
        function: name of the Lambda function that processes it.
    """

    content_types: list[str]
    function: str


@dataclass(frozen=True, slots=True)
class Settings(FromEnvironment):
    """Settings of the API handler."""

    bucket: Annotated[str, Setting("name of the bucket", variable="BUCKET_NAME")]
    processors: Annotated[
        dict[str, dict[str, list[str]]],
        Setting(
            "by the name of a function the endings of the files that it reads, with content types",
            variable="KINDS",
        ),
    ]
    option_functions: Annotated[
        tuple[str, ...], Setting("names of the functions whose files may come with options")
    ] = ()
    failed_after_seconds: Annotated[
        int,
        Setting("age of an upload without a result after which Lambda does not retry", at_least=1),
    ] = 30_000
    environment: Annotated[str, Setting("suffix of the deployment's names")] = "unknown"
    version: Annotated[
        str, Setting("SHA-256 of the deployed zip in base64", variable="CODE_SHA256")
    ] = "unknown"
    cors_allowed_origins: Annotated[
        tuple[str, ...], Setting("origins whose pages may read the answers; * for any")
    ] = ("*",)
    max_upload_bytes: Annotated[
        int, Setting("largest upload in bytes", at_least=1, at_most=5 * 1024**4)
    ] = 100 * 1024**2
    form_max_bytes: Annotated[
        int,
        Setting(
            "largest upload in one form; larger ones come in parts where that is enabled",
            at_least=1,
            at_most=5 * 1024**3,
        ),
    ] = 100 * 1024**2
    upload_url_ttl_seconds: Annotated[
        int, Setting("how long an upload form is good for", at_least=1, at_most=604_800)
    ] = 900
    download_url_ttl_seconds: Annotated[
        int, Setting("how long a download link is good for", at_least=1, at_most=604_800)
    ] = 300
    owners: Annotated[
        dict[str, Any] | None,
        Setting("what names the owner of a file, and who sees the files of all, see `owners`"),
    ] = None
    enable_delete: Annotated[bool, Setting("whether clients may delete files")] = False
    enable_reprocess: Annotated[bool, Setting("whether clients may have files processed again")] = (
        False
    )
    enable_deduplication: Annotated[
        bool,
        Setting("whether a file with a checksum is not uploaded where the same content is there"),
    ] = False
    tag_names: Annotated[tuple[str, ...], Setting("names of the tags that a client may set")] = ()
    enable_multipart: Annotated[bool, Setting("whether files may be uploaded in parts")] = False

    @property
    def largest_form_bytes(self) -> int:
        """The largest file that one form takes."""
        limit = self.form_max_bytes if self.enable_multipart else self.max_upload_bytes
        return min(limit, self.max_upload_bytes)

    @property
    def kinds(self) -> dict[str, Kind]:
        """The accepted kinds, by the extension of the file's name (.csv)."""
        return {
            ending: Kind(content_types, function)
            for function, endings in self.processors.items()
            for ending, content_types in endings.items()
        }
