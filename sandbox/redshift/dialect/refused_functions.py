"""PostgreSQL's functions that Redshift does not have.

A part of the table of refusals. They are those that the guide's page "Unsupported PostgreSQL functions"
names, one by one or by their kind, and others later than PostgreSQL 8.0 that it does not have. Redshift
may run some of them on its leader node, which "should not be taken to indicate that the function is
supported" (there).
"""

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.expressions import is_call
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.sql.tokens import words

_JSON = "Use JSON_EXTRACT_PATH_TEXT or JSON_EXTRACT_ARRAY_ELEMENT_TEXT."
_ARRAYS = "Redshift has no PostgreSQL arrays."
_LISTAGG = "Use LISTAGG."
_REGEXP = "Use REGEXP_SUBSTR, REGEXP_INSTR or REGEXP_COUNT."

# What Redshift has instead, and the names.
GROUPS: tuple[tuple[str | None, str], ...] = (
    (
        _LISTAGG,
        "array_agg json_agg json_arrayagg json_object_agg json_objectagg jsonb_agg jsonb_object_agg"
        " string_agg",
    ),
    (
        "Use GETDATE().",
        "clock_timestamp statement_timestamp transaction_timestamp",
    ),
    (
        "Use DATE_TRUNC, or DATEADD with a rounded DATEDIFF.",
        "date_bin",
    ),
    (
        "Use DATEADD, DATEDIFF, TO_DATE or TO_TIMESTAMP.",
        "date_subtract justify_days justify_hours justify_interval",
    ),
    (
        "Use TO_DATE or TO_TIMESTAMP.",
        "make_date make_interval make_time make_timestamp make_timestamptz",
    ),
    (
        _JSON,
        "json_array json_array_elements json_array_elements_text json_build_array json_build_object"
        " json_each json_each_text json_exists json_extract_path json_object json_object_keys"
        " json_populate_record json_populate_recordset json_query json_scalar json_serialize_bytes"
        " json_strip_nulls json_table json_to_record json_to_recordset json_value jsonb_array_elements"
        " jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each"
        " jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object"
        " jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array"
        " jsonb_path_query_first jsonb_populate_record jsonb_populate_recordset jsonb_pretty jsonb_set"
        " jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof row_to_json"
        " to_json to_jsonb",
    ),
    (
        _ARRAYS,
        "array_append array_cat array_dims array_fill array_length array_lower array_ndims"
        " array_prepend array_remove array_replace array_sample array_shuffle array_to_json"
        " array_to_string array_upper cardinality string_to_array string_to_table trim_array unnest",
    ),
    (
        _REGEXP,
        "regexp_like regexp_match regexp_matches regexp_split_to_array regexp_split_to_table",
    ),
    (
        "Use || with COALESCE.",
        "concat_ws",
    ),
    (
        "Use POSITION, or LEFT and =.",
        "starts_with",
    ),
    (
        "Use SHA2.",
        "sha224 sha256 sha384 sha512",
    ),
    (
        None,
        "bit_count bit_length bit_xor convert_from convert_to encode every format normalize overlay"
        " parse_ident quote_nullable unistr",
    ),
    (
        None,
        "corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope"
        " regr_sxx regr_sxy regr_syy",
    ),
    (
        "Use LOG, LN, SIN, COS, TAN and their kind.",
        "acosd acosh asind asinh atan2d atand atanh cosd cosh cotd log10 sind sinh tand tanh",
    ),
    (
        None,
        "div erf erfc factorial gcd lcm min_scale num_nonnulls num_nulls random_normal scale setseed"
        " trim_scale width_bucket",
    ),
    (
        "Use MD5 of what tells rows apart.",
        "gen_random_uuid uuid_generate_v1 uuid_generate_v4",
    ),
    (
        "Redshift has IDENTITY columns, and no sequences.",
        "currval lastval nextval setval",
    ),
    (
        "LOCK the table.",
        "pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all"
        " pg_advisory_unlock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared"
        " pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock"
        " pg_try_advisory_xact_lock_shared",
    ),
    (
        "Ask SVV_TABLE_INFO.",
        "pg_column_size pg_database_size pg_indexes_size pg_relation_filenode pg_relation_filepath"
        " pg_relation_size pg_size_bytes pg_size_pretty pg_table_size pg_tablespace_size"
        " pg_total_relation_size",
    ),
    (
        None,
        "current_query inet_client_addr inet_client_port inet_server_addr inet_server_port"
        " pg_conf_load_time pg_is_other_temp_schema pg_listening_channels pg_my_temp_schema pg_notify"
        " pg_postmaster_start_time pg_trigger_depth pg_typeof",
    ),
    (
        "Wait in the client.",
        "pg_sleep pg_sleep_for pg_sleep_until",
    ),
    (
        "Redshift has HAS_TABLE_PRIVILEGE, HAS_SCHEMA_PRIVILEGE and HAS_DATABASE_PRIVILEGE.",
        "has_any_column_privilege has_column_privilege has_foreign_data_wrapper_privilege"
        " has_function_privilege has_language_privilege has_sequence_privilege has_server_privilege"
        " has_tablespace_privilege has_type_privilege pg_has_role",
    ),
    (
        None,
        "pg_backup_start pg_backup_stop pg_create_restore_point pg_current_wal_lsn pg_export_snapshot"
        " pg_is_in_recovery pg_last_wal_replay_lsn pg_ls_dir pg_promote pg_read_binary_file"
        " pg_read_file pg_reload_conf pg_rotate_logfile pg_stat_file pg_switch_wal pg_wal_lsn_diff",
    ),
    (
        None,
        "pg_current_snapshot pg_current_xact_id pg_snapshot_xmax pg_snapshot_xmin pg_xact_status"
        " txid_current txid_current_snapshot txid_snapshot_xip txid_snapshot_xmax txid_snapshot_xmin"
        " txid_visible_in_snapshot",
    ),
    (
        "Use LIKE.",
        "get_current_ts_config numnode phraseto_tsquery plainto_tsquery querytree setweight strip"
        " to_tsquery to_tsvector ts_debug ts_delete ts_filter ts_headline ts_parse ts_rank ts_rank_cd"
        " ts_rewrite ts_stat websearch_to_tsquery",
    ),
    (
        None,
        "cursor_to_xml database_to_xml query_to_xml schema_to_xml table_to_xml xml_agg"
        " xml_is_well_formed xmlagg xmlcomment xmlconcat xmlelement xmlexists xmlforest xmlparse xmlpi"
        " xmlroot xmlserialize xmltable xpath xpath_exists",
    ),
    (
        None,
        "datemultirange daterange int4multirange int4range int8multirange int8range isempty lower_inc"
        " lower_inf nummultirange numrange range_agg range_merge tsrange tstzrange upper_inc upper_inf",
    ),
    (
        None,
        "enum_first enum_last enum_range",
    ),
    (
        None,
        "abbrev broadcast host hostmask inet_merge inet_same_family masklen netmask set_masklen",
    ),
    (
        "Redshift has GEOMETRY and its ST_ functions; the sandbox has not.",
        "area bound_box circle diagonal diameter isclosed isopen lseg npoints pclose popen radius",
    ),
    (
        "GENERATE_SERIES runs on the leader node.",
        "generate_subscripts",
    ),
)
_HINTS = {name: hint for hint, names in GROUPS for name in words(names)}
WORDS = frozenset(_HINTS)


def check(draft: Draft, index: int) -> None:
    """Refuse the call of a function that Redshift does not have, if the word at `index` is one.

    Raises:
        Refusal: It is.
    """
    name = draft.word(index)
    if name in _HINTS and is_call(draft, index) and not _is_label(draft, index):
        raise Refusal(f'Function "{name}()" not supported.', hint=_HINTS[name])


def _is_label(draft: Draft, index: int) -> bool:
    """``FROM t AS name (columns)``, ``WITH name (columns) AS (…)``."""
    after = draft.closing(index + 1) + 1
    return draft.word(index - 1) == "as" or (draft.word(after) == "as" and draft.is_operator(after + 1, "("))
