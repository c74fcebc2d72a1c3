-- One row is one reason why two people are easily taken for one, by what is written of them: how many pairs of records of
-- two people, by the truth, there are, scored or not, and how many of those came into each tier and into one cluster.
with alike as (
    select l.client_id as left_id, r.client_id as right_id
    from labelled as l join labelled as r on l.home = r.home and l.client_id < r.client_id and l.person <> r.person
    union
    select l.client_id, r.client_id
    from labelled as l
    join labelled as r
        on l.forename_root = r.forename_root and l.surname = r.surname and l.client_id < r.client_id
        and l.person <> r.person
    union
    select l.client_id, r.client_id
    from labelled as l join labelled as r on l.nhs_number = r.nhs_number and l.client_id < r.client_id and l.person <> r.person
    union
    select l.client_id, r.client_id
    from labelled as l
    join labelled as r
        on l.reference_core = r.reference_core and l.council = r.council and l.client_id < r.client_id
        and l.person <> r.person
),

told as (
    select
        a.left_id,
        a.right_id,
        case
            when l.nhs_number = r.nhs_number then 'one NHS number on two people'
            when l.home = r.home and l.surname = r.surname and l.born = r.born then 'twins'
            when l.home = r.home and l.surname = r.surname and l.forename_root = r.forename_root
                then 'parent and child of one name'
            when l.home = r.home and l.surname = r.surname then 'couple or siblings'
            when l.reference_core = r.reference_core and l.council = r.council then 'one reference on two people'
            when l.home = r.home then 'neighbours at one address'
            when l.born = r.born then 'two people of one name and birth date'
            else 'two people of one name'
        end as kind
    from alike as a
    join labelled as l on l.client_id = a.left_id
    join labelled as r on r.client_id = a.right_id
)

select
    kind,
    count(*) as pairs,
    count(*) filter (tier = 'near-certain') as "near-certain",
    count(*) filter (tier = 'likely') as likely,
    count(*) filter (tier = 'possible') as possible,
    count(*) filter (lc.cluster = rc.cluster) as one_cluster
from told as t
join in_cluster as lc on lc.client_id = t.left_id
join in_cluster as rc on rc.client_id = t.right_id
left join judged as j on j.left_id = t.left_id and j.right_id = t.right_id
group by kind
order by pairs desc, kind
