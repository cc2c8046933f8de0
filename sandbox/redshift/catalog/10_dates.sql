-- Dates and times. The dialect passes a date part as its canonical name ('month', 'dow', …).

CREATE OR REPLACE FUNCTION pg_catalog.getdate() RETURNS timestamp LANGUAGE sql STABLE PARALLEL SAFE
RETURN date_trunc('second', statement_timestamp() AT TIME ZONE current_setting('TimeZone'));

-- The dialect writes SYSDATE, which has no parentheses, as a call.
CREATE OR REPLACE FUNCTION pg_internal.sysdate() RETURNS timestamp LANGUAGE sql STABLE PARALLEL SAFE
RETURN transaction_timestamp() AT TIME ZONE current_setting('TimeZone');

-- EXTRACT: whole numbers, without what larger or smaller parts hold.
CREATE OR REPLACE FUNCTION pg_internal.date_part(part text, moment timestamp) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE part
    WHEN 'millisecond' THEN EXTRACT(millisecond FROM moment)::bigint % 1000
    WHEN 'microsecond' THEN EXTRACT(microsecond FROM moment)::bigint % 1000000
    WHEN 'decade' THEN EXTRACT(decade FROM moment)::integer + 1
    ELSE floor(pg_catalog.date_part(part, moment))
END::integer;

CREATE OR REPLACE FUNCTION pg_internal.date_part(part text, day date) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.date_part(part, day::timestamp);

CREATE OR REPLACE FUNCTION pg_internal.date_part(part text, moment timestamptz) RETURNS integer
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN CASE part
    WHEN 'epoch' THEN floor(EXTRACT(epoch FROM moment))::integer
    WHEN 'timezone' THEN EXTRACT(timezone FROM moment)::integer
    WHEN 'timezone_hour' THEN EXTRACT(timezone_hour FROM moment)::integer
    WHEN 'timezone_minute' THEN EXTRACT(timezone_minute FROM moment)::integer
    ELSE pg_internal.date_part(part, moment AT TIME ZONE current_setting('TimeZone'))
END;

CREATE OR REPLACE FUNCTION pg_internal.date_part(part text, clock time) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.date_part(part, DATE '1970-01-01' + clock);

CREATE OR REPLACE FUNCTION pg_internal.date_part(part text, span interval) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE part
    WHEN 'millisecond' THEN EXTRACT(millisecond FROM span)::bigint % 1000
    WHEN 'microsecond' THEN EXTRACT(microsecond FROM span)::bigint % 1000000
    ELSE trunc(pg_catalog.date_part(part, span))
END::integer;

-- DATE_PART: a double with the fraction. Redshift calls its column pgdate_part.
CREATE OR REPLACE FUNCTION pg_internal.pgdate_part(part text, moment timestamp) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE part
    WHEN 'second' THEN EXTRACT(second FROM moment)::double precision
    WHEN 'epoch' THEN EXTRACT(epoch FROM moment)::double precision
    ELSE pg_internal.date_part(part, moment)::double precision
END;

CREATE OR REPLACE FUNCTION pg_internal.pgdate_part(part text, day date) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.pgdate_part(part, day::timestamp);

CREATE OR REPLACE FUNCTION pg_internal.pgdate_part(part text, moment timestamptz) RETURNS double precision
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN CASE part
    WHEN 'epoch' THEN EXTRACT(epoch FROM moment)::double precision
    WHEN 'timezone' THEN EXTRACT(timezone FROM moment)::double precision
    WHEN 'timezone_hour' THEN EXTRACT(timezone_hour FROM moment)::double precision
    WHEN 'timezone_minute' THEN EXTRACT(timezone_minute FROM moment)::double precision
    ELSE pg_internal.pgdate_part(part, moment AT TIME ZONE current_setting('TimeZone'))
END;

CREATE OR REPLACE FUNCTION pg_internal.pgdate_part(part text, clock time) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.pgdate_part(part, DATE '1970-01-01' + clock);

CREATE OR REPLACE FUNCTION pg_internal.pgdate_part(part text, span interval) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.date_part(part, span)::double precision;

-- PostgreSQL would turn a date into a timestamp with time zone.
CREATE OR REPLACE FUNCTION pg_catalog.date_trunc(part text, day date) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN date_trunc(part, day::timestamp);

-- DATEADD: the day of the month stays where the month has it; 29 February plus years becomes 1 March.
CREATE OR REPLACE FUNCTION pg_internal.add_years(years bigint, moment timestamp) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN moment + years * INTERVAL '1 year' + CASE
    WHEN to_char(moment, 'MMDD') = '0229' AND to_char(moment + years * INTERVAL '1 year', 'MMDD') = '0228'
        THEN INTERVAL '1 day'
    ELSE INTERVAL '0'
END;

CREATE OR REPLACE FUNCTION pg_internal.date_add(part text, number bigint, moment timestamp) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE part
    WHEN 'microsecond' THEN moment + number * INTERVAL '1 microsecond'
    WHEN 'millisecond' THEN moment + number * INTERVAL '1 millisecond'
    WHEN 'second' THEN moment + number * INTERVAL '1 second'
    WHEN 'minute' THEN moment + number * INTERVAL '1 minute'
    WHEN 'hour' THEN moment + number * INTERVAL '1 hour'
    WHEN 'day' THEN moment + number * INTERVAL '1 day'
    WHEN 'week' THEN moment + number * INTERVAL '7 days'
    WHEN 'month' THEN moment + number * INTERVAL '1 month'
    WHEN 'quarter' THEN moment + number * INTERVAL '3 months'
    WHEN 'year' THEN pg_internal.add_years(number, moment)
    WHEN 'decade' THEN pg_internal.add_years(number * 10, moment)
    WHEN 'century' THEN pg_internal.add_years(number * 100, moment)
    WHEN 'millennium' THEN pg_internal.add_years(number * 1000, moment)
END;

CREATE OR REPLACE FUNCTION pg_internal.date_add(part text, number bigint, day date) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.date_add(part, number, day::timestamp);

CREATE OR REPLACE FUNCTION pg_internal.date_add(part text, number bigint, moment timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN pg_internal.date_add(part, number, moment AT TIME ZONE current_setting('TimeZone'))
    AT TIME ZONE current_setting('TimeZone');

-- DATEDIFF counts the boundaries crossed.
CREATE OR REPLACE FUNCTION pg_internal.boundary(part text, moment timestamp) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE part
    WHEN 'microsecond' THEN (EXTRACT(epoch FROM moment) * 1000000)::bigint
    WHEN 'millisecond' THEN floor(EXTRACT(epoch FROM moment) * 1000)::bigint
    WHEN 'second' THEN floor(EXTRACT(epoch FROM moment))::bigint
    WHEN 'minute' THEN floor(EXTRACT(epoch FROM moment) / 60)::bigint
    WHEN 'hour' THEN floor(EXTRACT(epoch FROM moment) / 3600)::bigint
    WHEN 'day' THEN (moment::date - DATE '2000-01-01')::bigint
    WHEN 'week' THEN (date_trunc('week', moment)::date - DATE '2000-01-03')::bigint / 7
    WHEN 'month' THEN EXTRACT(year FROM moment)::bigint * 12 + EXTRACT(month FROM moment)::bigint
    WHEN 'quarter' THEN EXTRACT(year FROM moment)::bigint * 4 + EXTRACT(quarter FROM moment)::bigint
    WHEN 'year' THEN EXTRACT(year FROM moment)::bigint
    WHEN 'decade' THEN EXTRACT(decade FROM moment)::bigint
    WHEN 'century' THEN EXTRACT(century FROM moment)::bigint
    WHEN 'millennium' THEN EXTRACT(millennium FROM moment)::bigint
END;

CREATE OR REPLACE FUNCTION pg_internal.date_diff(part text, since timestamp, until timestamp) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.boundary(part, until) - pg_internal.boundary(part, since);

CREATE OR REPLACE FUNCTION pg_internal.date_diff(part text, since date, until date) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.date_diff(part, since::timestamp, until::timestamp);

CREATE OR REPLACE FUNCTION pg_internal.date_diff(part text, since timestamptz, until timestamptz)
RETURNS bigint LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN pg_internal.date_diff(
    part,
    since AT TIME ZONE current_setting('TimeZone'),
    until AT TIME ZONE current_setting('TimeZone')
);

CREATE OR REPLACE FUNCTION pg_internal.date_diff(part text, since time, until time) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.date_diff(part, DATE '1970-01-01' + since, DATE '1970-01-01' + until);

CREATE OR REPLACE FUNCTION pg_catalog.trunc(moment timestamp) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN moment::date;

CREATE OR REPLACE FUNCTION pg_catalog.last_day(moment timestamp) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (date_trunc('month', moment) + INTERVAL '1 month - 1 day')::date;

-- ADD_MONTHS: the last day of a month stays the last day.
CREATE OR REPLACE FUNCTION pg_catalog.add_months(moment timestamp, months bigint) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN moment::date = last_day(moment)
        THEN last_day(moment + months * INTERVAL '1 month') + moment::time
    ELSE moment + months * INTERVAL '1 month'
END;

-- Whole months where both are the same day or both the last of their months; else 31 days make a month.
CREATE OR REPLACE FUNCTION pg_catalog.months_between(until timestamp, since timestamp)
RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_internal.date_diff('month', since, until) + CASE
    WHEN EXTRACT(day FROM since) = EXTRACT(day FROM until)
        OR (since::date = last_day(since) AND until::date = last_day(until)) THEN 0
    ELSE (
        EXTRACT(epoch FROM until - date_trunc('month', until))
        - EXTRACT(epoch FROM since - date_trunc('month', since))
    ) / 86400 / 31
END::double precision;

CREATE OR REPLACE FUNCTION pg_catalog.convert_timezone(source text, target text, moment timestamp)
RETURNS timestamp LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (moment AT TIME ZONE source) AT TIME ZONE target;

CREATE OR REPLACE FUNCTION pg_catalog.convert_timezone(target text, moment timestamp)
RETURNS timestamp LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (moment AT TIME ZONE 'UTC') AT TIME ZONE target;
