"""Lambda function that counts the words of uploaded texts."""

import re
from collections import Counter
from pathlib import Path

from uploads.processing import Processed, Produced, RejectedError, Source, lambda_handler


def count_words(source: Source, directory: Path) -> Processed:
    """Count the words of a text, and list them with their frequencies."""
    try:
        text = source.open().read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RejectedError("not_utf8", f"Byte {error.start + 1} is not UTF-8.") from error
    words = Counter(re.findall(r"\w+", text.lower()))
    listed = directory / "words.csv"
    listed.write_text("word,count\n" + "".join(f"{w},{n}\n" for w, n in words.most_common()))
    return Processed(
        [Produced(listed, listed.name, "text/csv", {"rows": len(words)})],
        {"words": words.total(), "different_words": len(words)},
    )


handler = lambda_handler(count_words)
