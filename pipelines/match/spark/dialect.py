"""DuckDB's SQL in Spark's words, so that one pair falls on one level whichever engine compares it.

Most of it sqlglot translates. What it cannot know is how two engines' functions of one name differ: Spark has no
Hamming distance, and the Jaro-Winkler of Splink's jar counts half a transposition where DuckDB, as rapidfuzz, drops it
("DCA" and "BADCAABA": 0.625 and 0.681). Its Damerau-Levenshtein is the same. Its hash of 32
bits would not do for blocking.
"""

from __future__ import annotations

from sqlglot import exp, parse_one

from pipelines.troubles import KnownError

JAR_IS_LESS_BY = 0.12
"""By so much at most does the jar's Jaro-Winkler lie below DuckDB's, where DuckDB's is 0.7 or more. A permutation with
an odd number of places changed moves three letters or more, so Jaro differs by 1/18 at most; and between there and 0.7
the jar adds nothing for a common beginning."""

_HAMMING = "size(filter(sequence(1, length({one})), i -> substr({one}, i, 1) <> substr({other}, i, 1)))"

# Each letter of the one takes the first free place of the other, within reach, that holds it: a taken place becomes
# chr(0). Half of the places at which the letters that were found differ in order, rounded down, are transpositions.
_PLACE = "locate(substr({one}, i, 1), state.free, greatest(1, i - state.reach))"
_FREE = f"concat(substr(state.free, 1, {_PLACE} - 1), chr(0), substr(state.free, {_PLACE} + 1))"
_TAKEN = (
    "filter(transform(sequence(1, length({other})),"
    " i -> case when substr(state.free, i, 1) = chr(0) then substr({other}, i, 1) end), letter -> letter is not null)"
)
_TRANSPOSED = (
    f"aggregate(zip_with(state.found, {_TAKEN}, (a, b) -> case when a <> b then 1 else 0 end), 0, (n, one) -> n + one)"
    " div 2"
)
_JARO = (
    "case when size(state.found) = 0 then 0D else (size(state.found) / cast(length({one}) as double)"
    " + size(state.found) / cast(length({other}) as double)"
    f" + (size(state.found) - {_TRANSPOSED}) / cast(size(state.found) as double)) / 3D end"
)
_COMMON_BEGINNING = (
    "aggregate(sequence(1, least(4, length({one}), length({other}))), 0,"
    " (same, i) -> case when same = i - 1 and substr({one}, i, 1) = substr({other}, i, 1) then i else same end)"
)
_JARO_WINKLER = (
    "aggregate(sequence(1, length({one})), named_struct('free', {other}, 'found', cast(array() as array<string>),"
    " 'reach', greatest(greatest(length({one}), length({other})) div 2 - 1, 0)),"
    f" (state, i) -> case when {_PLACE} between 1 and i + state.reach"
    f" then named_struct('free', {_FREE}, 'found', concat(state.found, array(substr({{one}}, i, 1))),"
    " 'reach', state.reach) else state end,"
    f" state -> aggregate(array({_JARO}), 0D, (nothing, jaro) -> case when jaro > 0.7D"
    f" then jaro + 0.1D * {_COMMON_BEGINNING} * (1 - jaro) else jaro end))"
)
_AT_LEAST = (
    "(jaro_winkler({one}, {other}) >= {least}D or (jaro_winkler({one}, {other}) >= {nearly}D"
    f" and {_JARO_WINKLER} >= {{least}}D))"
)
_LEAST_CERTAIN = 0.7


class UntranslatedError(KnownError):
    """A condition uses a function in a way for which there is no translation yet."""

    code = "T4"


def in_spark(sql: str) -> str:
    """A condition or query of DuckDB in Spark SQL. ``jaro_winkler`` and ``damerau_levenshtein`` are of Splink's jar.

    Raises UntranslatedError for a Jaro-Winkler similarity that is not compared with a number of 0.7 or more, by ``>=``
    or ``<``, since only such a comparison is known to come out the same.
    """
    tree = parse_one(sql, read="duckdb").transform(_translated)
    left = [node.sql() for node in tree.find_all(exp.JarowinklerSimilarity)]
    if left:
        raise UntranslatedError(f"There is no translation into Spark for {left[0]} as it is used.")
    return str(tree.sql(dialect="spark"))


def _translated(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.GTE | exp.LT) and isinstance(node.this, exp.JarowinklerSimilarity):
        least = float(node.expression.name)
        if least < _LEAST_CERTAIN:
            return node
        at_least = _written(_AT_LEAST, node.this, least=least, nearly=round(least - JAR_IS_LESS_BY, 6))
        return at_least if isinstance(node, exp.GTE) else exp.not_(at_least)
    if isinstance(node, exp.Anonymous) and node.name.lower() == "hamming":
        one, other = node.expressions
        return _written(_HAMMING, exp.JarowinklerSimilarity(this=one, expression=other))
    if isinstance(node, exp.Anonymous) and node.name.lower() == "hash":
        return exp.Anonymous(this="xxhash64", expressions=node.expressions)
    return node


def _written(template: str, pair: exp.Expression, **numbers: float) -> exp.Expression:
    one, other = pair.this.sql(dialect="spark"), pair.expression.sql(dialect="spark")
    return parse_one(template.format(one=one, other=other, **numbers), read="spark")
