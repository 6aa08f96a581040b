"""What a query may consist of. Everything that is not listed here is refused.

The names are those of sqlglot's tree. A function is listed when it computes a value of its arguments: none
that reads files or settings, sleeps, writes, calls out, repeats, or runs a pattern. What a query costs is
for the database to bound.
"""

from .words import words

GRAMMAR = words("""
    Select From Join Where Group Having Order Ordered Limit Offset Distinct Subquery With CTE Union
    Intersect Except Table TableAlias Column Alias Identifier Star Literal Null Boolean HexString RawString
    National Paren Tuple And Or Not Neg EQ NEQ GT GTE LT LTE Is NullSafeEQ NullSafeNEQ In Between Like
    ILike Glob Escape Exists Any All Add Sub Mul Div IntDiv Mod DPipe BitwiseAnd BitwiseOr BitwiseXor
    BitwiseNot BitwiseLeftShift BitwiseRightShift Case If Cast TryCast DataType DataTypeParam Collate
    Interval Var AtTimeZone Filter WithinGroup Window WindowSpec GroupingSets Rollup Cube Qualify Fetch
    LimitOptions Values Array Bracket Slice JSONExtract JSONExtractScalar JSONPath JSONPathRoot JSONPathKey
    JSONPathSubscript
    """)
FUNCTIONS = words("""
    Count CountIf Sum Avg Min Max Median Stddev StddevPop StddevSamp Variance VariancePop Corr CovarPop
    CovarSamp GroupConcat ArrayAgg AnyValue ApproxDistinct PercentileCont PercentileDisc LogicalAnd
    LogicalOr Mode RowNumber Rank DenseRank PercentRank CumeDist Ntile Lag Lead FirstValue LastValue NthValue
    Abs Ceil Floor Round Sign Sqrt Exp Ln Log Pow Trunc Greatest Least SafeDivide
    Lower Upper Initcap Length Substring Left Right Trim Replace Reverse StrPosition Concat ConcatWs
    StartsWith EndsWith Contains SplitPart Chr Ascii Unicode Hex
    Coalesce Nullif Nvl2 Typeof
    CurrentDate CurrentTime CurrentTimestamp CurrentDatetime Localtime Localtimestamp UtcDate UtcTime
    UtcTimestamp Date Datetime Time Timestamp Extract Year Quarter Month Week WeekOfYear Day DayOfMonth
    DayOfWeek DayOfWeekIso DayOfYear Hour Minute Second Dayname Monthname LastDay DateAdd DateSub DateDiff
    DateTrunc DatetimeAdd DatetimeSub DatetimeDiff DatetimeTrunc TimeAdd TimeSub TimeDiff TimestampAdd
    TimestampSub TimestampDiff TimestampTrunc MonthsBetween AddMonths DateFromParts TimeToStr TimeToUnix
    UnixToTime UnixSeconds UnixMillis StrToTime StrToDate StrToUnix TsOrDsToDate TsOrDsToTimestamp
    TsOrDsToDatetime TsOrDsToTime TsOrDsAdd TsOrDsDiff TimeStrToTime TimeStrToDate ToChar ToNumber
    ParseDatetime
    """)
NAMED: dict[str, frozenset[str]] = {
    "sqlite": words(
        "date time datetime strftime total julianday typeof ifnull iif instr unixepoch timediff"
        " json_array_length json_type"
    ),
    "postgres": words(
        "now age date_part to_date to_timestamp btrim char_length width_bucket jsonb_array_length"
    ),
    "mysql": words(
        "now sysdate isnull time_to_sec sec_to_time from_days to_days weekday period_diff field locate"
        " char_length"
    ),
    "tsql": words("datename datepart isnull isnumeric eomonth square"),
    "snowflake": words("zeroifnull nullifzero div0 iff"),
    "bigquery": frozenset(),
}
"""Harmless functions that the parser knows by their name alone."""
TYPES = words("""
    BIGINT BINARY BIT BOOLEAN CHAR DATE DATETIME DATETIME2 DECIMAL DOUBLE FLOAT INT INTERVAL JSON JSONB
    MEDIUMINT MONEY NCHAR NVARCHAR SMALLINT SMALLMONEY TEXT TIME TIMESTAMP TIMESTAMPLTZ TIMESTAMPNTZ
    TIMESTAMPTZ TIMETZ TINYINT UBIGINT UINT USMALLINT UTINYINT UUID VARBINARY VARCHAR YEAR BIGDECIMAL ARRAY
    """)
SELECT = words("with_ expressions distinct from_ joins where group having qualify windows order limit offset")
"""The clauses of a query. No ``into``, ``locks``, ``hint``, ``settings``, ``format``, ``options``,
``for_``, ``sample``."""
COMBINED = words("with_ this expression distinct order limit offset")
SUBQUERY = words("this alias with_ joins order limit offset")
TABLE = words("this db catalog alias joins")
