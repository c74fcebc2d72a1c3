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

-- One row is one merged-away client record and its survivor. It follows from the live decisions alone; the door for
-- decisions is not built yet, so it is empty.
create table if not exists merged.crosswalk (client_id integer, survivor_id integer);

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

-- One row is one client record and the cluster of records that it is taken for one person with.
create table if not exists matched.clusters (client_id integer, cluster_id varchar);

-- One row is one reason why the model should be trained again.
create table if not exists matched.drift (reason varchar);
