-- One row is one partition with visits of the past that do not count yet for whom they should (`touched`), within the
-- range of the sign-off. A partition is cut where the range begins or ends within it.
select
    greatest(date_trunc($partition, v.visit_on)::date, coalesce($from_on::date, date '0001-01-01')) as from_on,
    least(
        (date_trunc($partition, v.visit_on) + $step::interval)::date,
        $as_of::date + 1,
        coalesce($to_on::date, date '9999-12-31')
    ) as to_on,
    count(*) as visits
from staged.visits as v
join touched as t on t.client_id = v.origin_client_id
where v.client_id <> t.target_id
    and v.visit_on <= $as_of
    and v.visit_on >= coalesce($from_on::date, date '0001-01-01')
    and v.visit_on < coalesce($to_on::date, date '9999-12-31')
group by 1, 2
order by 1
