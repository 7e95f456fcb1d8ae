-- What was known at a moment: over the views articles, duplicates and revisions, in DuckDB.
--
--     from as_of(timestamptz '2024-03-05 02:00:00Z')
--     from as_of(timestamptz '2024-03-05 02:00:00Z', undated := true)
--
-- Of each article the revision that had been fetched by then; of each cluster the copy that was its first among those
-- seen by then, by the same rule as today: claimed time of publication (a bare day counts from its end), then first
-- seen, then id. What was learnt later – a newer text, an earlier copy, a deletion – does not show.
-- Articles without a time of publication are left out unless asked for.
create or replace macro as_of(moment, undated := false) as table (
    with versions as (
        from articles
        union all by name
        select * exclude (duplicate_of, duplicate_kind, similarity) from duplicates
        union all by name
        from revisions
    ),
    seen as (
        select *, min(case published_precision when 'day' then published_at + interval '1 day - 1 microsecond'
                      else published_at end) over (partition by source, article_id) as claimed_at
        from versions where fetched_at <= moment
    ),
    -- Beside a writer a row that changes its tree is for an instant in both: one of them is enough.
    latest as (
        from seen qualify row_number() over (partition by source, article_id order by revision desc) = 1
    ),
    -- A mirror's copy never takes the place of the one that was seen first.
    homes as (
        from latest qualify row_number() over (partition by article_id order by first_seen_at, source) = 1
    ),
    firsts as (
        from homes where undated or published_at is not null
        qualify row_number() over (
            partition by cluster_id order by claimed_at nulls last, first_seen_at, article_id) = 1
    )
    select * exclude (claimed_at) replace (
        list_filter(flags, lambda flag: flag <> 'gone' or (extra ->> 'gone_at')::timestamptz <= moment) as flags,
        case when (extra ->> 'gone_at')::timestamptz > moment
             then nullif(json_merge_patch(extra::json, '{"gone_at": null}')::varchar, '{}') else extra end as extra)
    from firsts
);
