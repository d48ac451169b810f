"""Random values in which lists and objects contain each other."""

from hypothesis import strategies as st


def nested(
    leaves: st.SearchStrategy[object],
    keys: st.SearchStrategy[str] | None = None,
    *,
    depth: int = 3,
    max_size: int | None = None,
) -> st.SearchStrategy[object]:
    """`leaves`, and lists and objects of them, up to `depth` in each other.

    Used instead of `st.recursive`, which now and then draws other values the second
    time (FlakyStrategyDefinition, seen with hypothesis 6.170 on a busy machine).
    """
    names = st.text() if keys is None else keys
    values = leaves
    for _ in range(depth):
        values = (
            leaves
            | st.lists(values, max_size=max_size)
            | st.dictionaries(names, values, max_size=max_size)
        )
    return values
