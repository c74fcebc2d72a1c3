-- One row is one count of one night that no other table keeps: they hold what is, and this is what was. Counts only, by
-- who sent the rows; so it outlives reports and forgettings. A night that is run again writes its own rows anew.
with waiting as (
    select 'waiting' as figure, '' as issuer, tier as detail, count(*) as "count"
    from reported
    where not settled
    group by tier
),

settled as (
    select 'settled' as figure, '' as issuer, standing as detail, count(*) as "count"
    from reported
    where settled
    group by standing
),

missed as (
    select 'missed' as figure, coalesce(ask, '') as issuer, reason as detail, count(*) as "count"
    from misses
    group by ask, reason
),

-- Made tonight, though a surely matching record was there, of which the surest says why: what a later correction finds
-- is in `missed` alone.
found as (
    select 'found' as figure, coalesce(profile_issuer, '') as issuer, reason as detail, count(*) as "count"
    from (
        select c.profile_issuer, m.reason
        from misses as m
        join matched.candidates as k using (candidate_id)
        join staged.clients as c on c.client_ref = m.sent_ref
        join staged.client_ids as made on made.client_id = c.client_id
        where made.made_on = $day
        qualify row_number() over (partition by c.client_id order by k.match_weight desc, candidate_id) = 1
    )
    group by profile_issuer, reason
),

confused as (
    select 'confusions' as figure, issuer, kind as detail, count(distinct number) as "count" from confusions group by issuer, kind
),

said as (
    select 'decisions' as figure, '' as issuer, coalesce(verdict, kind) as detail, count(*) as "count"
    from reviewed.decisions
    where kind in ('verdict', 'undo')
    group by verdict, kind
),

-- Pairs that reviewers named themselves: a *same* that matching never proposed is a miss of matching.
never_proposed as (
    select least(left_ref, right_ref) as one_ref, greatest(left_ref, right_ref) as other_ref
    from reviewed.decisions
    where kind = 'verdict'
    group by all
    having max(coalesce(tier, '')) = ''
),

unproposed as (
    select 'not proposed' as figure, '' as issuer, s.standing as detail, count(*) as "count"
    from never_proposed as n
    join staged.client_ids as one on one.client_ref = n.one_ref
    join staged.client_ids as other on other.client_ref = n.other_ref
    join reviewed.standings as s
        on s.left_id = least(one.client_id, other.client_id) and s.right_id = greatest(one.client_id, other.client_id)
    group by s.standing
),

register as (
    select count(*) as live, count(distinct coalesce(k.cluster_id, c.client_id::varchar)) as people
    from staged.clients as c
    left join matched.clusters as k using (client_id)
    where c.survivor_id = c.client_id
),

totals as (
    select 'records' as figure, '' as issuer, '' as detail, live as "count" from register
    union all
    select 'people', '', '', people from register
    union all
    select 'merged away', '', '', count(*) from merged.crosswalk
    union all
    select 'merges', '', '', count(distinct merge_id) from merged.merges
    union all
    select 'reasons to train', '', '', count(*) from matched.drift
)

select
    $day::date as night,
    figure::varchar as figure,
    issuer::varchar as issuer,
    detail::varchar as detail,
    "count"::bigint as "count"
from (
    from waiting union all from settled union all from missed union all from found union all from confused
    union all from said union all from unproposed union all from totals
)
