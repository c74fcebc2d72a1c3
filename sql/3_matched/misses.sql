-- One row is one client record that was made because its Social Services Reference was not found, though a surely
-- matching record was there: what was sent, what we held, why the import missed, and who has to correct what.
-- Of two records the one made by an order was the miss: the import looked for its reference and did not find it.
with pairs as (
    select
        c.candidate_id,
        c.tier,
        if((l.made_by_feed = 'purchase_orders', l.client_id) > (r.made_by_feed = 'purchase_orders', r.client_id), l, r) as sent,
        if((l.made_by_feed = 'purchase_orders', l.client_id) > (r.made_by_feed = 'purchase_orders', r.client_id), r, l) as held
    from matched.candidates as c
    join staged.clients as l on l.client_id = c.left_id
    join staged.clients as r on r.client_id = c.right_id
    where c.tier <> 'possible'
),

compared as (
    select
        candidate_id,
        sent.client_ref as sent_ref,
        held.client_ref as held_ref,
        sent.profile_issuer as sent_by,
        held.profile_issuer as held_by,
        sent.reference as sent_reference,
        held.reference as held_reference,
        sent.reference_key as s,
        held.reference_key as h,
        sent.reference_core as s_core,
        held.reference_core as h_core,
        coalesce(sent.council <> held.council, false) as other_council
    from pairs
),

explained as (
    select
        *,
        case
            when s is null and h is null then 'missing on both records'
            when s is null then 'missing on the new record'
            when h is null then 'missing on the record that we held'
            when other_council then 'another council''s reference'
            when sent_reference = held_reference then 'one reference on two records'
            when upper(sent_reference) = upper(held_reference) then 'capital or small letters'
            when s = h then 'a space or punctuation'
            when ltrim(s, '0') = ltrim(h, '0') then 'leading zero'
            when translate(s, 'O', '0') = translate(h, 'O', '0') then 'letter O for zero'
            when starts_with(s, h) or starts_with(h, s) then 'suffix'
            when ends_with(s, h) or ends_with(h, s) then 'prefix'
            when s_core = h_core then 'several slips at once'
            when list_sort(string_split(s_core, '')) = list_sort(string_split(h_core, ''))
                and damerau_levenshtein(s_core, h_core) = 1 then 'two digits crossed'
            when damerau_levenshtein(s_core, h_core) = 1 then 'one digit'
            else 'a different or superseded reference'
        end as reason
    from compared
)

select
    candidate_id,
    sent_ref,
    held_ref,
    coalesce(sent_reference, '') as sent_reference,
    coalesce(held_reference, '') as held_reference,
    reason,
    case reason
        when 'missing on the new record' then sent_by
        when 'missing on the record that we held' then held_by
        when 'missing on both records' then held_by
        when 'leading zero' then if(length(s) < length(h), sent_by, held_by)
        when 'letter O for zero' then if(regexp_matches(s, '\dO|O\d'), sent_by, held_by)
        when 'prefix' then if(length(s) > length(h), sent_by, held_by)
        when 'suffix' then if(length(s) > length(h), sent_by, held_by)
        when 'a space or punctuation' then if(length(sent_reference) > length(held_reference), sent_by, held_by)
        when 'capital or small letters' then if(sent_reference <> upper(sent_reference), sent_by, held_by)
        else held_by
    end as ask,
    case
        when reason = 'missing on the new record' then 'Give it the reference ' || held_reference || '.'
        when reason = 'missing on the record that we held' then 'Give it the reference ' || sent_reference || '.'
        when reason = 'missing on both records' then 'Ask the council for the reference.'
        when reason = 'one reference on two records' then 'Nothing to correct: the two records wait for a decision.'
        when reason = 'leading zero' then 'Write ' || if(length(s) < length(h), held_reference, sent_reference) || '.'
        when reason in ('prefix', 'suffix')
            then 'Write ' || if(length(s) > length(h), held_reference, sent_reference) || '.'
        when reason = 'a space or punctuation'
            then 'Write ' || if(length(sent_reference) > length(held_reference), held_reference, sent_reference) || '.'
        when reason = 'letter O for zero'
            then 'Write ' || if(regexp_matches(s, '\dO|O\d'), held_reference, sent_reference) || '.'
        when reason = 'capital or small letters' then 'Write ' || upper(sent_reference) || '.'
        else 'Find out with the council which of the two is right.'
    end as correction
from explained
order by ask, reason, candidate_id
