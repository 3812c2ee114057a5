"""The structure of a file, read without decoding anything: what a decoder would need."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Structure:
    """Facts about a file, known before it is decoded.

    Attributes:
        most_parts: more than a file of the largest allowed size has.
        parts: number of segments, chunks or blocks; the time to walk through them grows with it.
        metadata_bytes: size of everything but tables and picture.
        progressive: whether it is a JPEG whose scans refine the picture.
        supported: whether its coding is one that can be decoded.
        scans: number of passes over a JPEG.
        coefficient_bytes: memory for the coefficients of a whole JPEG; 0 when one scan holds
            everything, because then a few rows are enough.
        coded_colours: of a PNG's cICP chunk or a HEIF's nclx box, codes of primaries and transfer
            function first.
        rows_end: end of the data of a JPEG that is decoded row by row, without the marker of its
            end; 0 for others.
        missing_scans: whether passes over a progressive JPEG, which would make it sharper, are not
            in the file.
    """

    most_parts: int = 0
    parts: int = 0
    metadata_bytes: int = 0
    progressive: bool = False
    supported: bool = True
    scans: int = 0
    coefficient_bytes: int = 0
    coded_colours: bytes = b""
    rows_end: int = 0
    missing_scans: bool = False
