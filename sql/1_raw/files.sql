-- One row is one file that was delivered. Rows read = rows loaded + rows rejected, so that nothing is lost unseen.
-- The rows of one content from one source are stored once. When the content is delivered again for another day, or under
-- another name, that delivery has a row here of its own, and `rows_of` names the file whose rows it repeats.
-- `spoken_on` is the day that the file speaks for. `fields_filled` and `fields_absent` are the fields of the feed that
-- had a value in some row, and those that no heading carried; `facts` is what the report says of the file, as JSON.
select
    $file_id::bigint as file_id,
    $content_hash::varchar as content_hash,
    $file_name::varchar as file_name,
    $source::varchar as source,
    $feed::varchar as feed,
    $issuer::varchar as issuer,
    $file_references::varchar[] as file_references,
    $delivered_for::date as delivered_for,
    $status::varchar as status,
    $reason::varchar as reason,
    $rows_read::bigint as rows_read,
    $rows_loaded::bigint as rows_loaded,
    $rows_rejected::bigint as rows_rejected,
    $headings_unmapped::varchar[] as headings_unmapped,
    $gate::varchar as gate,
    $landed_at::timestamptz as landed_at,
    $spoken_on::date as spoken_on,
    $rows_of::bigint as rows_of,
    $delivers::varchar as delivers,
    $fields_filled::varchar[] as fields_filled,
    $fields_absent::varchar[] as fields_absent,
    $new_clients::bigint as new_clients,
    $facts::varchar as facts
