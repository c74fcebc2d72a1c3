-- One row is one enrolment of the clients and contracts of this batch whose start a newer file gives otherwise: the newer file
-- names the same client and contract with another start for the same time, and not this one. Two starts in one file are two
-- enrolments, and so are two that do not overlap: the first had ended when the second began.
with named as (
    select distinct r.issuer, r.client_id as record_id, r.contract_number
    from raw.roster_enrolments as r
    join batch as b on b.file_id = r.file_id
),

stated as (
    select
        r.issuer,
        r.client_id as record_id,
        r.contract_number,
        coalesce(date_of(r.start_date), date '1900-01-01') as start_on,
        max(f.place) as place
    from raw.roster_enrolments as r
    join spoken_files as f on f.file_id = r.file_id
    semi join named as n
        on n.issuer = r.issuer and n.record_id = r.client_id and n.contract_number = r.contract_number
    group by all
),

kept as (
    select e.issuer, e.record_id, e.contract_number, e.start_on, e.end_on, coalesce(t.place, 0) as place
    from staged.enrolments as e
    left join (select distinct issuer, record_id, id_sent from staged.id_holders where feed = 'roster_clients') as h
        on h.issuer = e.issuer and h.record_id = e.record_id
    semi join named as n
        on n.issuer = e.issuer and n.record_id = coalesce(h.id_sent, e.record_id) and n.contract_number = e.contract_number
    left join stated as t
        on t.issuer = e.issuer and t.record_id = coalesce(h.id_sent, e.record_id) and t.contract_number = e.contract_number
        and t.start_on = e.start_on
)

select distinct old.issuer, old.record_id, old.contract_number, old.start_on
from kept as old
join kept as new
    on new.issuer = old.issuer and new.record_id = old.record_id and new.contract_number = old.contract_number
where new.place > old.place and new.start_on <> old.start_on
    and new.start_on < coalesce(old.end_on, date '9999-12-31')
    and old.start_on < coalesce(new.end_on, date '9999-12-31')
