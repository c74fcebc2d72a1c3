-- One row is one file whose rows are stored, with the day that they speak for and their `place` among all files: a file of a
-- later place is the newer one. Content that was delivered more than once speaks as of its latest delivery. Of one day the
-- later delivery is the newer one, then the later name (9 before 10). `is_new`: a delivery is not taken in yet.
with deliveries as (
    select
        coalesce(rows_of, file_id) as file_id,
        feed,
        issuer,
        source,
        delivers,
        fields_filled,
        fields_absent,
        file_name,
        content_hash,
        coalesce(spoken_on, delivered_for) as file_on,
        delivered_for,
        natural_key(file_name) as name_key,
        bool_or(file_id not in (select file_id from staged.taken_files))
            over (partition by coalesce(rows_of, file_id)) as is_new,
        count(*) over (partition by coalesce(rows_of, file_id)) > 1 as came_again
    from raw.files
    where status = 'loaded' or rows_of is not null
),

latest as (
    select *
    from deliveries
    where file_id not in (select file_id from raw.retired_files)
    qualify row_number() over (partition by file_id order by file_on desc, delivered_for desc, name_key desc) = 1
)

select *, row_number() over (order by file_on, delivered_for, name_key, content_hash, file_id) as place
from latest
