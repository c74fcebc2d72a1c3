-- Reading cells as people write them. Each macro gives null for what it cannot read; nothing here guesses.

-- A no-break space, which web pages and cp1252 files put for a space, is a space; what has no width (a soft hyphen, a
-- joiner, a mark of direction, a variation selector) is nothing, so that it neither parts two equal names nor turns one
-- round. Most cells are plain ASCII without a surplus space, and are taken as they are.
create or replace temp macro cleaned(cell) as (
    case
        when regexp_full_match(cell, '[!-~]+( [!-~]+)*') then cell
        else nullif(trim(regexp_replace(
            case
                when strlen(cell) = length(cell) then cell
                else regexp_replace(
                    cell,
                    '[\p{Cf}\x{34F}\x{115F}\x{1160}\x{180B}-\x{180D}\x{2800}\x{3164}\x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}]+',
                    '',
                    'g'
                )
            end,
            '[\s\p{Z}\p{Cc}]+', ' ', 'g'
        )), '')
    end
);

-- A cell without what Excel wraps round a text so that it stays one: ="00123", "00123", '00123.
create or replace temp macro unquoted(cell) as (
    case
        when regexp_matches(left(cell, 1), '[="'']')
            then regexp_replace(regexp_replace(cell, '^=?"+ *(.*?) *"+$', '\1'), '^''+(.*?)''*$', '\1')
        else cell
    end
);

-- Words that stand for a missing reference, id, number, telephone or e-mail, whatever their case and punctuation. One that
-- holds a digit other than 0 is an id ("NA12345").
create or replace temp macro is_placeholder(cell) as (
    case
        when regexp_matches(cell, '[1-9]') then false
        else regexp_full_match(
            regexp_replace(upper(strip_accents(cell)), '[^\p{L}\p{N}]+', '', 'g'),
            '0*|X+|NA|NAN|N0NE|NONE|NULL|NULLVALUE|NIL|NOTHING|NK|NYK|UNK|UNKN|UNKNOWN|UNKNWN|DK|DONTKNOW|NFA|NFI|NG|NR|ND|NDA'
            || '|TB[ACDN]|TBCONFIRMED|TOBE[A-Z]*|TOFOLLOW|YETTO[A-Z]+|PEND|PENDING[A-Z]*|AWAIT(ING|ED)?[A-Z]*|WAITING(FOR)?[A-Z]*'
            || '|(CLIENT|NUMBER|REF|REFERENCE|DETAILS|DOB|DATE|PHONE|PO)?UNKNOWN(DOB|REF|NUMBER)?|NOTYET[A-Z]*'
            || '|NOT(KNOWN|GIVEN|AVAILABLE|APPLICABLE|PROVIDED|RECORDED|STATED|SUPPLIED|SET|ASSIGNED|ALLOCATED|ISSUED|REQUIRED'
            || '|ENTERED|SPECIFIED|DISCLOSED|CONFIRMED|ONFILE|OBTAINED|HELD|RECEIVED|FOUND|DEFINED|SURE|APPLIC|AVAIL|REGISTERED)'
            || '|NO(REF|REFERENCE|NUMBER|NO|NHS|NHSNO|NHSNUMBER|ID|PO|ORDER|PHONE|TEL|TELEPHONE|EMAIL|MOBILE|DOB|LANDLINE|CONTACT'
            || '|RECORD|DATA|INFO|INFORMATION|DETAILS|VALUE|ENTRY|CODE|SSR|SSN)?'
            || '|NO(NE)?(GIVEN|KNOWN|YET|PROVIDED|AVAILABLE|RECORDED|SUPPLIED|ASSIGNED|ALLOCATED|HELD|REQUIRED|STATED|APPLICABLE)'
            || '|SEE(NOTE|NOTES|ABOVE|BELOW|FILE|COMMENT|COMMENTS|EMAIL|LETTER)|ASABOVE|ASBEFORE|ASPER[A-Z]+|ABOVE|DITTO|SAME'
            || '|SAMEASABOVE|MISSING|BLANK|EMPTY|UNDEFINED|UNSPECIFIED|UNASSIGNED|UNALLOCATED|UNAVAILABLE|INVALID|REF|REFERENCE'
            || '|VALUE|DIV0?|NAME|NUM|ERROR|REQUESTED|REFUSED|WITHHELD|DECLINED|OUTSTANDING|EXDIRECTORY|INPROGRESS|APPLIEDFOR'
            || '|CHASED|CHASING|ONREQUEST|PLEASEADVISE|CHECK|QUERY'
        )
    end
);

-- A reference is another office's number: a word for a while or one digit over and over is nobody's.
create or replace temp macro is_no_reference(cell) as (
    length(cell) >= 6 and trim(cell, left(cell, 1)) = ''
    or regexp_full_match(upper(cell), '(TEMP|TEMPORARY|TEST|DUMMY|SAMPLE|NEW|NEW CLIENT|OTHER|VARIOUS|PRIVATE|SELF)[ .?!-]*')
);

-- "4.50041E+08": a spreadsheet showed a long number so, and its digits are lost.
create or replace temp macro is_rounded(cell) as regexp_full_match(cell, '-?\d([.,]\d+)?[Ee]\+\d{1,3}');

-- Typed values of a raw table, which holds one notation (pipelines/ingest/notation.py). Null: no value in it.
create or replace temp macro date_of(cell) as (
    case when regexp_full_match(cell, '\d{4}-\d\d-\d\d') then try_cast(cell as date) end
);
create or replace temp macro time_of(cell) as (
    case when regexp_full_match(cell, '\d\d:\d\d:\d\d') then try_cast(cell as time) end
);
create or replace temp macro decimal_of(cell) as (
    case when regexp_full_match(cell, '-?\d+(\.\d+)?') then try_cast(cell as decimal(18, 4)) end
);
create or replace temp macro integer_of(cell) as (
    case when regexp_full_match(cell, '-?\d+') then try_cast(cell as integer) end
);

create or replace temp macro trimmed(cell) as trim(cell, concat(' ', chr(9), chr(10), chr(13), chr(160)));

-- The number of an English month by its name or the first three or four letters of it.
create or replace temp macro month_of(word) as list_position(
    list_transform(
        ['JANUARY', 'FEBRUARY', 'MARCH', 'APRIL', 'MAY', 'JUNE', 'JULY', 'AUGUST', 'SEPTEMBER', 'OCTOBER', 'NOVEMBER', 'DECEMBER'],
        lambda name: length(word) >= 3 and starts_with(name, word)
    ),
    true
);

-- Whether there is such a day; of a year of two digits it may be any with a 29th of February.
create or replace temp macro is_day(year, month_number, day_number) as (
    try_cast(concat_ws('-', if(length(year) = 4, year, '2000'), month_number, day_number) as date) is not null
);

create or replace temp macro plausible_day(day) as (
    case when day between date '1850-01-01' and date '2200-01-01' then day end
);

create or replace temp macro read_date(cell, formats, serials) as (
    case
        when serials and regexp_full_match(trimmed(cell), '\d{5}(\.\d+)?')
            then date '1899-12-30' + trunc(try_cast(trimmed(cell) as double))::integer
        when regexp_matches(cell, '\d') then plausible_day(try_strptime(trimmed(cell), formats)::date)
    end
);

-- More than ten million of anything that a feed counts or pays is a slip, such as a telephone number one column too far.
create or replace temp macro plausible_amount(amount) as (
    case when amount between -10000000 and 10000000 then amount end
);

-- What an order is worth a week, in pence; no two plausible amounts are too much for it.
create or replace temp macro weekly_pence(rate, weekly_units) as (
    round(100 * rate::decimal(38, 4) * weekly_units)::decimal(18, 0)
);

-- A name without case, accents and punctuation: "O'Brien-Smith " and "OBRIEN SMITH" are one.
create or replace temp macro name_key(name) as (
    cleaned(regexp_replace(regexp_replace(upper(strip_accents(name)), '[''’`.]', '', 'g'), '[^A-Z]+', ' ', 'g'))
);

-- A reference without case, spaces and punctuation, the letter O read as zero among digits, outer zeros kept.
create or replace temp macro reference_key(reference) as (
    nullif(regexp_replace(upper(reference), '[^A-Z0-9]', '', 'g'), '')
);

-- An address in capitals with its common short forms written out: "Flat 2, 14 Mill Rd." and "2/14 Mill Road" are one.
create or replace temp macro address_word(word) as (
    case word
        when 'RD' then 'ROAD' when 'ST' then 'STREET' when 'AVE' then 'AVENUE' when 'AV' then 'AVENUE'
        when 'CL' then 'CLOSE' when 'LN' then 'LANE' when 'DR' then 'DRIVE' when 'CT' then 'COURT'
        when 'CRES' then 'CRESCENT' when 'GDNS' then 'GARDENS' when 'GRV' then 'GROVE' when 'GR' then 'GROVE'
        when 'PL' then 'PLACE' when 'SQ' then 'SQUARE' when 'TER' then 'TERRACE' when 'TERR' then 'TERRACE'
        when 'APARTMENT' then 'FLAT' when 'APT' then 'FLAT' when 'FL' then 'FLAT' when 'UNIT' then 'FLAT' when 'HSE' then 'HOUSE'
        else word
    end
);

create or replace temp macro address_key(line_1, line_2) as cleaned(
    regexp_replace(
        array_to_string(
            list_transform(
                regexp_split_to_array(upper(strip_accents(concat_ws(' ', line_1, line_2))), '[^A-Z0-9]+'),
                lambda word: address_word(word)
            ),
            ' '
        ),
        '^(\d+[A-Z]?) (\d+[A-Z]?) ', 'FLAT \1 \2 '
    )
);

-- "co4 3sq" and "CO43SQ" become "CO4 3SQ". What has not a UK postcode's shape keeps its letters and digits, so that
-- another country's postcodes still compare.
create or replace temp macro postcode_key(postcode) as (
    case
        when regexp_full_match(reference_key(postcode), '[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}')
            then regexp_replace(reference_key(postcode), '^(.+)(...)$', '\1 \2')
        else reference_key(postcode)
    end
);

create or replace temp macro home_key(address, postcode) as (
    if(address is null, null, concat_ws(' ', address, postcode))
);

-- A telephone number as E.164 where there is nothing to work out: a trunk 0 and a national number of a length that the
-- country has. Null: not such a one, and so for the library, whose numbering plan this is.
create or replace temp macro plain_phone(as_sent, country_code, lengths) as (
    case
        when regexp_full_match(as_sent, '[ ()-]*0[ ()-]*[1-9][0-9 ()-]*')
            and list_contains(lengths, length(regexp_replace(as_sent, '[ ()-]', '', 'g')) - 1)
            and length(list_distinct(string_split(regexp_replace(as_sent, '[ ()-]', '', 'g')[2:], ''))) > 2
            then concat('+', country_code, regexp_replace(as_sent, '[ ()-]', '', 'g')[2:])
    end
);

-- "PO/2026/7/1" is line 1 of order PO/2026/7.
create or replace temp macro order_of_line(record_id) as regexp_replace(record_id, '/[^/]*$', '');

create or replace temp macro gender_code(gender) as (
    case
        when upper(trim(gender)) in ('F', 'FEMALE', 'W', 'WOMAN') then 'F'
        when upper(trim(gender)) in ('M', 'MALE', 'MAN') then 'M'
    end
);

-- The formal form of every given name of a record. One that an earlier release standardised has the first name's alone.
create or replace temp macro given_roots(client) as (
    case
        when contains(client.forename_root, ' ') or not contains(client.forename_key, ' ') then client.forename_root
        else client.forename_root || substr(client.forename_key, strpos(client.forename_key, ' '))
    end
);

-- Of two records with one reference: whether anything else says that they are one person.
create or replace temp macro speaks_for(a, b) as (
    coalesce(a.surname_key = b.surname_key, false)
    or coalesce(a.forename_root = b.forename_root, false)
    or coalesce(a.born_on = b.born_on, false)
    or coalesce(a.nhs_number = b.nhs_number, false)
);

-- Year, month and day as eight digits of a birth date that is none, so that one wrong digit does not lose the others.
create or replace temp macro birth_digits(cell) as (
    case
        when regexp_full_match(trim(cell), '\d{8}') then trim(cell)
        when regexp_full_match(trim(cell), '\d{4}[-/.]\d{2}[-/.]\d{2}.*') then regexp_replace(left(trim(cell), 10), '\D', '', 'g')
        when regexp_full_match(trim(cell), '\d{2}[-/.]\d{2}[-/.]\d{4}')
            then right(trim(cell), 4) || substr(trim(cell), 4, 2) || left(trim(cell), 2)
    end
);

-- A reference without what offices add or lose: prefix, slash suffix, the letter O for a zero, outer zeros.
create or replace temp macro reference_core(reference, prefix_pattern) as (
    nullif(ltrim(translate(
        regexp_replace(reference_key(regexp_replace(reference, '/\d+$', '')), prefix_pattern, ''), 'O', '0'
    ), '0'), '')
);

-- What an order line is on a day: end dates are last days, and a status in words overrules the dates.
create or replace temp macro order_standing(start_on, end_on, status, day) as (
    case
        when regexp_full_match(lower(coalesce(status, '')), '(cancel|end|clos|complet|reject|terminat|void|withdr).*') then 'past'
        when coalesce(end_on, date '9999-12-31') < day then 'past'
        when start_on > day then 'future'
        else 'active'
    end
);

-- A visit that will not take place, or did not.
create or replace temp macro is_cancelled(status) as lower(coalesce(status, '')) like 'cancel%';

-- Whether a rostering system still has the client on its books.
create or replace temp macro on_the_books(active_to, status, day) as (
    coalesce(active_to, date '9999-12-31') >= day
    and not regexp_full_match(lower(coalesce(status, '')), '(inactiv|end|clos|left|leaver|archiv|discharg|deceased|died).*')
);

-- No feed has a field for either: a status, a title or a name that says so in words is all there is.
create or replace temp macro says_deceased(words) as regexp_matches(lower(words), '\b(deceased|died|passed away)\b');
create or replace temp macro says_restricted(words) as (
    regexp_matches(lower(words), '\b(restricted|sensitive|confidential|safeguarding|do not (use|merge|share))\b')
);

-- The facts of a pair (sql/4_reviewed/facts.sql), whichever of its two records stands left.
create or replace temp macro pair_facts(one, other) as '[' || least(one, other) || ',' || greatest(one, other) || ']';

-- All of a row of staged.clients that matching goes by: what matched/records.sql reads has to be in it.
create or replace temp macro compared_hash(client) as hash(
    client.client_ref,
    client.forename_key,
    client.forename_root,
    client.known_as_root,
    client.other_names_key,
    client.surname_key,
    client.born_on,
    client.born_as_sent,
    client.placeholders,
    client.gender,
    client.address_key,
    client.town,
    client.postcode_key,
    client.phone_e164,
    client.mobile_e164,
    client.email_key,
    client.nhs_number,
    client.council,
    client.reference_key,
    client.reference_core
);

-- A file's name as people number files: 9 before 10, "x" before "x (2)". `name_key` in pipelines/ingest/spoken.py is the same.
create or replace temp macro natural_key(file_name) as (
    array_to_string(
        list_transform(
            regexp_extract_all(regexp_replace(lower(file_name), '\.[a-z0-9]{1,5}$', ''), '[0-9]+|[^0-9]+'),
            lambda part: if(regexp_full_match(part, '[0-9]+'), lpad(ltrim(part, '0'), 30, ' '), part)
        ),
        ''
    ) || chr(10) || file_name
);

-- A reference or id without what offices vary: case, punctuation, leading zeros, O for 0 and I for 1.
create or replace temp macro same_number(number) as (
    ltrim(translate(regexp_replace(upper(number), '[^A-Z0-9]+', '', 'g'), 'OIL', '011'), '0')
);
