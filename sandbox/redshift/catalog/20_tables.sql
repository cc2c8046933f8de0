-- What tables declare beyond PostgreSQL. Columns are kept by their numbers, which renaming does not change.

CREATE TABLE IF NOT EXISTS pg_internal.table_attributes (
    table_id oid PRIMARY KEY,
    diststyle text,
    distkey smallint,
    sortkeys smallint[] NOT NULL DEFAULT '{}',
    sort_style text NOT NULL DEFAULT 'compound',
    encodings jsonb NOT NULL DEFAULT '{}',
    sortkey_index oid
);
CREATE TABLE IF NOT EXISTS pg_internal.declared_keys (
    table_id oid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    columns smallint[] NOT NULL,
    referenced_table oid,
    referenced_columns smallint[]
);
CREATE INDEX IF NOT EXISTS declared_keys_table ON pg_internal.declared_keys (table_id);
GRANT SELECT ON pg_internal.table_attributes, pg_internal.declared_keys TO PUBLIC;

-- What writers wait for, see `dialect/locks.py`. LOCK has no other form outside of a transaction block.
CREATE OR REPLACE FUNCTION pg_internal.lock_table(name text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', name::regclass);
END $body$;

-- The second writer of those that share a table's lock waits for the end of the first one's transaction; temp tables
-- have one writer.
CREATE OR REPLACE FUNCTION pg_internal.write_in_turn(name text) RETURNS void
LANGUAGE sql VOLATILE AS $body$
    SELECT pg_catalog.pg_advisory_xact_lock((5440::bigint << 32) | oid::bigint)
    FROM pg_catalog.pg_class
    WHERE oid = pg_catalog.to_regclass(name) AND relpersistence <> 't'
        AND pg_catalog.has_any_column_privilege(oid, 'INSERT')
$body$;

-- Tables that were dropped since the last installation.
DELETE FROM pg_internal.table_attributes WHERE table_id NOT IN (SELECT oid FROM pg_class);
DELETE FROM pg_internal.declared_keys WHERE table_id NOT IN (SELECT oid FROM pg_class);

CREATE OR REPLACE FUNCTION pg_internal.column_number(target regclass, name text) RETURNS smallint
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    number smallint;
BEGIN
    SELECT attnum INTO number FROM pg_attribute
    WHERE attrelid = target AND attname = name::name AND attnum > 0 AND NOT attisdropped;
    IF number IS NULL THEN
        -- A place, which only CREATE TABLE AS may name: nothing is dropped from what was just made.
        SELECT attnum INTO number FROM pg_attribute
        WHERE attrelid = target AND attnum::text = name AND attnum > 0;
    END IF;
    IF number IS NULL THEN
        RAISE EXCEPTION 'column "%" does not exist', name USING ERRCODE = '42703';
    END IF;
    RETURN number;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.column_numbers(target regclass, names jsonb) RETURNS smallint[]
LANGUAGE sql STABLE AS $body$
    SELECT COALESCE(array_agg(pg_internal.column_number(target, name) ORDER BY place), '{}')
    FROM jsonb_array_elements_text(names) WITH ORDINALITY AS listed (name, place)
$body$;

CREATE OR REPLACE FUNCTION pg_internal.must_own(target regclass) RETURNS void
LANGUAGE plpgsql STABLE AS $body$
DECLARE
    found pg_catalog.pg_class;
BEGIN
    SELECT * INTO found FROM pg_catalog.pg_class WHERE oid = target;
    IF pg_catalog.pg_has_role(session_user, found.relowner, 'USAGE') IS NOT TRUE THEN
        RAISE EXCEPTION 'must be owner of relation %', found.relname USING ERRCODE = '42501';
    END IF;
END $body$;

-- The sort key's index. Redshift reads the blocks that may hold a range, however the rows came; PostgreSQL puts
-- rows into whatever holes there are, so that BRIN, which remembers a range of values for each stretch of pages,
-- ends in reading a third of a large table. A B-tree does not care. Its entries end at 2,700 bytes, so keys that
-- may be longer get no index. BOOLEAN is left out: it narrows nothing. The index is made with the caller's rights.
CREATE OR REPLACE FUNCTION pg_internal.index_sortkey(target regclass) RETURNS void
LANGUAGE plpgsql AS $body$
DECLARE
    attributes pg_internal.table_attributes;
    indexed text;
    longest integer;
BEGIN
    SELECT * INTO attributes FROM pg_internal.table_attributes WHERE table_id = target;
    IF attributes.sortkey_index IS NOT NULL THEN
        EXECUTE format('DROP INDEX IF EXISTS %s', attributes.sortkey_index::regclass);
    END IF;
    SELECT
        string_agg(quote_ident(attname), ', ' ORDER BY array_position(attributes.sortkeys, attnum)),
        sum(CASE WHEN attlen > 0 THEN attlen WHEN atttypmod > 4 THEN atttypmod ELSE 65535 END)
    INTO indexed, longest
    FROM pg_attribute
    WHERE attrelid = target AND attnum = ANY (attributes.sortkeys) AND atttypid <> 'boolean'::regtype;
    IF indexed IS NULL OR longest > 2000 THEN
        PERFORM pg_internal.store_index(target, NULL);
        RETURN;
    END IF;
    EXECUTE format('CREATE INDEX ON %s (%s)', target, indexed);
    PERFORM pg_internal.store_index(target, (SELECT max(indexrelid) FROM pg_index WHERE indrelid = target));
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.store_index(target regclass, index_id oid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM pg_internal.must_own(target);
    UPDATE pg_internal.table_attributes SET sortkey_index = (
        SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = target AND indexrelid = index_id
    ) WHERE table_id = target;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.add_key(target regclass, key jsonb) RETURNS void
LANGUAGE plpgsql AS $body$
DECLARE
    parent oid := key ->> 'references'; -- a number by now: the name is looked up with the caller's search_path
    suffix text := CASE key ->> 'kind' WHEN 'PRIMARY KEY' THEN 'pkey' WHEN 'UNIQUE' THEN 'key' ELSE 'fkey' END;
    table_name text := (SELECT relname FROM pg_class WHERE oid = target);
    listed text := (SELECT string_agg(name, '_') FROM jsonb_array_elements_text(key -> 'columns') AS name);
BEGIN
    IF key ->> 'kind' = 'PRIMARY KEY' THEN
        IF EXISTS (
            SELECT FROM pg_internal.declared_keys WHERE table_id = target AND kind = 'PRIMARY KEY'
        ) THEN
            RAISE EXCEPTION 'multiple primary keys for table "%" are not allowed', table_name
                USING ERRCODE = '42P16';
        END IF;
        listed := NULL;
    END IF;
    INSERT INTO pg_internal.declared_keys VALUES (
        target,
        COALESCE(key ->> 'name', concat_ws('_', table_name, listed, suffix)),
        key ->> 'kind',
        pg_internal.column_numbers(target, key -> 'columns'),
        parent,
        CASE WHEN parent IS NOT NULL THEN
            pg_internal.column_numbers(parent::regclass, key -> 'referenced_columns')
        END
    );
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.declare_table(target regclass, declaration text) RETURNS void
LANGUAGE plpgsql SECURITY INVOKER AS $body$
DECLARE
    given jsonb := declaration;
BEGIN
    PERFORM pg_internal.store_attributes(target, given || jsonb_build_object('keys', (
        SELECT COALESCE(jsonb_agg(
            key || jsonb_build_object('references', (key ->> 'references')::regclass::oid::bigint) ORDER BY place
        ), '[]')
        FROM jsonb_array_elements(given -> 'keys') WITH ORDINALITY AS listed (key, place)
    )));
    IF jsonb_typeof(given -> 'sortkeys') = 'array' THEN
        PERFORM pg_internal.index_sortkey(target);
    END IF;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.store_attributes(target regclass, given jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM pg_internal.must_own(target);
    INSERT INTO pg_internal.table_attributes (table_id) VALUES (target) ON CONFLICT DO NOTHING;
    UPDATE pg_internal.table_attributes SET
        diststyle = COALESCE(given ->> 'diststyle', diststyle),
        distkey = CASE
            WHEN given ->> 'distkey' IS NOT NULL
                THEN pg_internal.column_number(target, given ->> 'distkey')
            WHEN given ->> 'diststyle' IS NULL THEN distkey
        END,
        encodings = encodings || COALESCE((
            SELECT jsonb_object_agg(pg_internal.column_number(target, key)::text, value)
            FROM jsonb_each_text(given -> 'encodings')
        ), '{}')
    WHERE table_id = target;
    IF jsonb_typeof(given -> 'sortkeys') = 'array' THEN
        UPDATE pg_internal.table_attributes SET
            sortkeys = pg_internal.column_numbers(target, given -> 'sortkeys'),
            sort_style = given ->> 'sort_style'
        WHERE table_id = target;
    END IF;
    PERFORM pg_internal.add_key(target, key) FROM jsonb_array_elements(given -> 'keys') AS key;
END $body$;

-- CREATE TABLE IF NOT EXISTS: declare only what this transaction has made.
CREATE OR REPLACE FUNCTION pg_internal.is_new(target regclass) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM pg_class WHERE oid = target AND xmin = pg_current_xact_id()::xid
) AND NOT EXISTS (SELECT FROM pg_internal.table_attributes WHERE table_id = target);

CREATE OR REPLACE FUNCTION pg_internal.declare_new_table(target regclass, declaration text) RETURNS void
LANGUAGE plpgsql AS $body$
BEGIN
    IF pg_internal.is_new(target) THEN
        PERFORM pg_internal.declare_table(target, declaration);
    END IF;
END $body$;

-- CREATE TABLE (LIKE parent): distribution, sort key and encodings, but no keys.
CREATE OR REPLACE FUNCTION pg_internal.inherit_table(target regclass, parent text) RETURNS void
LANGUAGE plpgsql AS $body$
DECLARE
    parent_id regclass := parent::regclass;
    inherited jsonb;
BEGIN
    SELECT jsonb_build_object(
        'diststyle', diststyle,
        'distkey', (SELECT attname FROM pg_attribute WHERE attrelid = parent_id AND attnum = distkey),
        'sortkeys', (
            SELECT COALESCE(jsonb_agg(attname ORDER BY array_position(sortkeys, attnum)), '[]')
            FROM pg_attribute WHERE attrelid = parent_id AND attnum = ANY (sortkeys)
        ),
        'sort_style', sort_style,
        'encodings', (
            SELECT COALESCE(jsonb_object_agg(attname, encodings ->> attnum::text), '{}')
            FROM pg_attribute WHERE attrelid = parent_id AND encodings ? attnum::text
        ),
        'keys', '[]'::jsonb
    ) INTO inherited
    FROM pg_internal.table_attributes WHERE table_id = parent_id;
    IF inherited IS NOT NULL THEN
        PERFORM pg_internal.declare_new_table(target, inherited::text);
    END IF;
END $body$;

CREATE OR REPLACE FUNCTION pg_internal.drop_key(target regclass, key_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM pg_internal.must_own(target);
    DELETE FROM pg_internal.declared_keys WHERE table_id = target AND name = key_name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'constraint "%" of relation "%" does not exist', key_name,
            (SELECT relname FROM pg_catalog.pg_class WHERE oid = target) USING ERRCODE = '42704';
    END IF;
END $body$;

-- ALTER COLUMN TYPE has changed the length in characters: now the length in bytes.
CREATE OR REPLACE FUNCTION pg_internal.resize_column(target regclass, column_name text, bytes text) RETURNS void
LANGUAGE plpgsql AS $body$
DECLARE
    old text;
    new text := format('character varying(%s) bytes: %s', bytes, column_name);
BEGIN
    SELECT conname INTO old FROM pg_constraint
    WHERE conrelid = target AND contype = 'c'
        AND conkey = ARRAY[pg_internal.column_number(target, column_name)];
    IF old IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', target, old);
    END IF;
    IF octet_length(new) > 63 THEN
        new := format('character varying(%s) bytes: %s', bytes, md5(column_name));
    END IF;
    EXECUTE format(
        'ALTER TABLE %s ADD CONSTRAINT %I CHECK (pg_catalog.octet_length(%I) <= %s)',
        target, new, column_name, bytes::integer
    );
END $body$;

-- CREATE TABLE AS: PostgreSQL takes over the lengths of text columns, in characters; now in bytes, too.
CREATE OR REPLACE FUNCTION pg_internal.count_bytes(target regclass) RETURNS void
LANGUAGE plpgsql AS $body$
DECLARE
    added text;
BEGIN
    IF NOT pg_internal.is_new(target) THEN
        RETURN;
    END IF;
    WITH columns AS (
        SELECT attname, attnum, format_type(atttypid, atttypmod) || ' bytes: ' AS prefix, atttypmod - 4 AS bytes
        FROM pg_attribute
        WHERE attrelid = target AND attnum > 0 AND atttypmod > 4
            AND atttypid IN ('character varying'::regtype, 'character'::regtype)
    )
    SELECT string_agg(
        format(
            'ADD CONSTRAINT %I CHECK (pg_catalog.octet_length(%I) <= %s)',
            prefix || CASE WHEN octet_length(prefix || attname) > 63 THEN md5(attname) ELSE attname END,
            attname, bytes
        ),
        ', ' ORDER BY attnum
    ) INTO added
    FROM columns
    WHERE NOT EXISTS (
        SELECT FROM pg_constraint WHERE conrelid = target AND contype = 'c' AND conkey = ARRAY[attnum]
    );
    IF added IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %s %s', target, added);
    END IF;
END $body$;
