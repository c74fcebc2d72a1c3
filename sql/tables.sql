-- The tables that others read before their first row is written; every other table is made by its own SELECT.

-- One row is one file that the register has taken in.
create table if not exists staged.taken_files (file_id bigint, taken_on date);

-- One row is one client record that was ever made. Numbers are never given twice.
create table if not exists staged.client_ids (
    client_id integer, client_ref varchar, made_on date, made_how varchar, made_by_feed varchar
);

-- One row is one value as sent with its standard form; null: not a valid one.
create table if not exists staged.standard_forms (kind varchar, as_sent varchar, form varchar);

-- One row is one table's suite of expectations, as it went on the last night that brought rows to the table.
create table if not exists staged.gates (
    night date, suite varchar, rows bigint, checks bigint, success boolean, failures varchar
);

-- One row is one merged-away client record and its survivor. It follows from what was signed off, and from that alone.
create table if not exists merged.crosswalk (client_id integer, survivor_id integer);

-- One row is one record of a live merge and the record that it counted for when the merge was signed off.
create table if not exists merged.merges (
    merge_id varchar, signed_in integer, as_of date, client_id integer, member_id integer, into_id integer, wave varchar
);

-- One row is something of one record that a live merge set aside: it can be read, and does not count any more.
create table if not exists merged.choices (
    merge_id varchar, kind varchar, client_id integer, issuer varchar, name varchar
);

-- One row is one signed-off plan that this warehouse has begun, and how far it has come. `checked_at_entry` and
-- `checked_at_files` say how far the log and the register were when all that could stop it was asked.
create table if not exists merged.runs (
    signed_in integer, plan_hash varchar, signed_by varchar, from_on date, to_on date, state varchar, problem varchar,
    checked_at_entry integer, checked_at_files integer
);

-- One row is one partition that one signed-off plan has brought up to date: what moved, and that nothing was lost.
create table if not exists merged.ledger (
    signed_in integer, plan_hash varchar, partition_name varchar, from_on date, to_on date, visits bigint,
    visit_minutes bigint, purchase_orders bigint, order_pence bigint, enrolments bigint, contacts bigint,
    aliases bigint, "references" bigint, source_records bigint, clients bigint, checksum_before varchar,
    checksum_after varchar, signed_by varchar, applied_in_run varchar, applied_at timestamptz
);

-- One row is one entry of the decision log as the last night read it, and one decided pair with where it stands.
create table if not exists reviewed.decisions (
    sequence_number integer, recorded_at timestamptz, who varchar, door varchar, kind varchar, candidate_id varchar,
    left_ref varchar, right_ref varchar, verdict varchar, reason varchar, choices varchar, evidence_hash varchar,
    match_probability double, match_weight double, tier varchar, model_version varchar, score_was_hidden boolean,
    seconds_spent double, undoes integer
);
create table if not exists reviewed.standings (
    left_id integer, right_id integer, candidate_id varchar, standing varchar, reason varchar, choices varchar,
    verdicts integer[], lapsed integer[], changed varchar
);

-- One row is one count of one night, kept since the tables go on to hold what is, and not what was.
create table if not exists reviewed.figures (
    night date, figure varchar, issuer varchar, detail varchar, "count" bigint
);

-- One row is one client record and the cluster of records that it is taken for one person with.
create table if not exists matched.clusters (client_id integer, cluster_id varchar);

-- One row is one reason why the model should be trained again.
create table if not exists matched.drift (reason varchar);

-- One row is one loaded file whose rows were let go since they had grown too old; its line in raw.files stays.
create table if not exists raw.retired_files (file_id bigint, retired_on date);

-- One row is one held file that a person accepted, so that it is loaded: by its content, and by that of the copy in
-- quarantine, which lacks the columns that are never stored. Rows are only ever added.
create table if not exists raw.accepted_files (
    content_hash varchar, copy_hash varchar, source varchar, code varchar, accepted_by varchar, reason varchar,
    accepted_at timestamptz
);

-- One row is where one source row about a person was first seen, kept when the file that held it was retired.
create table if not exists raw.first_rows (
    feed varchar, issuer varchar, record_id varchar, file_id bigint, row_number bigint
);

-- One row is one client record of a person who was forgotten. It follows from what was recorded in the decision store, and
-- from that alone.
create table if not exists staged.forgotten (client_ref varchar);

-- One row is one source row of a person who was forgotten, with the record that it stays linked to. It follows from the
-- same.
create table if not exists staged.forgotten_rows (
    feed varchar, issuer varchar, record_id varchar, client_ref varchar, how_linked varchar
);

-- One row is one forgetting that this home has carried out to its end, or (`erased`) all but the last clearing up.
create table if not exists staged.forgettings (number integer, state varchar);

-- One row is one day from which one person holds an identifier (a rostering id, an order line) that came with more than one:
-- `record_id` is the key of that person's row in staged.source_records. The first person holds it from the beginning.
create table if not exists staged.id_holders (
    feed varchar, issuer varchar, id_sent varchar, record_id varchar, held_from date
);
