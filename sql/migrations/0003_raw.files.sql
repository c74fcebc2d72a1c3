-- Each file keeps the day that it speaks for: the last day in its name, and never a day after its delivery. What earlier
-- releases did not keep of a file (which fields it filled) is not known.
select
    *,
    least(
        coalesce(
            list_max(
                list_transform(
                    regexp_extract_all(file_name, '20\d{2}-?\d{2}-?\d{2}'),
                    lambda day: try_strptime(replace(day, '-', ''), '%Y%m%d')::date
                )
            ),
            delivered_for
        ),
        delivered_for
    ) as spoken_on,
    null::bigint as rows_of,
    'changes'::varchar as delivers,
    null::varchar[] as fields_filled,
    null::varchar[] as fields_absent,
    null::bigint as new_clients,
    null::varchar as facts
from raw.files
