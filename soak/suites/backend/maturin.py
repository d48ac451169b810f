"""Stands for the build tool of watchfiles while its source archive is downloaded.

pip asks it for the metadata of what it downloads. The real one would fetch crates for
that; nothing is built here, so an empty answer does.
"""

from pathlib import Path

NAME = "watchfiles-1.3.0.dist-info"


def get_requires_for_build_wheel(config_settings: object = None) -> list[str]:
    return []


def prepare_metadata_for_build_wheel(
    directory: str, config_settings: object = None
) -> str:
    folder = Path(directory, NAME)
    folder.mkdir()
    metadata = "Metadata-Version: 2.1\nName: watchfiles\nVersion: 1.3.0\n"
    (folder / "METADATA").write_text(metadata)
    (folder / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\n")
    return NAME
