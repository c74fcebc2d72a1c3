-- One row is one file that was delivered, by its content; a file that comes again is the same row.
-- Rows read = rows loaded + rows rejected, so that nothing is lost unseen.
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
    $landed_at::timestamptz as landed_at
