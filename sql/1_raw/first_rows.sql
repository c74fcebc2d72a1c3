-- One row is where one source row about a person was first seen, if that is in a file which is being retired (`retiring`): the
-- report goes on telling how each record came to be. What an earlier retirement kept goes before.
with rows_sent as (
    select 'purchase_orders' as feed, issuer, file_id, row_number,
        purchase_order_number || '/' || coalesce(line_number, '1') as record_id
    from raw.purchase_orders
    union all
    select 'roster_clients', issuer, file_id, row_number, client_id from raw.roster_clients
),

first_seen as (
    select
        r.feed,
        r.issuer,
        r.record_id,
        min({'sent_for': f.delivered_for, 'file_name': f.file_name, 'row_number': r.row_number, 'file_id': r.file_id}) as seen
    from rows_sent as r
    join raw.files as f using (file_id)
    anti join raw.first_rows as k on k.feed = r.feed and k.issuer = r.issuer and k.record_id = r.record_id
    group by r.feed, r.issuer, r.record_id
)

select feed, issuer, record_id, seen.file_id as file_id, seen.row_number as row_number
from first_seen
where seen.file_id in (select file_id from retiring)
