-- The business day: when it begins, in zones that change their clocks, and the order numbers within it.

begin;
select no_plan();

-- moment, zone, start of day, business date
create temporary table said (moment timestamptz, zone text, start time, day date, why text);
insert into said values
	('2024-07-01 14:59:59Z', 'Asia/Seoul', '05:00', '2024-07-01', 'Seoul, before midnight'),
	('2024-07-01 15:00:00Z', 'Asia/Seoul', '05:00', '2024-07-01', 'Seoul, midnight is not the end of the day'),
	('2024-07-01 19:59:59.999999Z', 'Asia/Seoul', '05:00', '2024-07-01', 'Seoul, the last moment before five'),
	('2024-07-01 20:00:00Z', 'Asia/Seoul', '05:00', '2024-07-02', 'Seoul, five'),
	('2024-07-01 14:59:59Z', 'Asia/Seoul', '00:00', '2024-07-01', 'Seoul, a day from midnight, its end'),
	('2024-07-01 15:00:00Z', 'Asia/Seoul', '00:00', '2024-07-02', 'Seoul, a day from midnight, its beginning'),
	('2024-07-01 14:58:59Z', 'Asia/Seoul', '23:59', '2024-06-30', 'Seoul, a day that begins a minute before the next date'),
	('2024-07-01 14:59:00Z', 'Asia/Seoul', '23:59', '2024-07-01', 'and its beginning'),
	('2024-12-31 20:00:00Z', 'Asia/Seoul', '05:00', '2025-01-01', 'New Year'),
	('2024-02-29 12:00:00Z', 'Asia/Seoul', '05:00', '2024-02-29', 'a leap day'),
	-- New York 2024-03-10: 02:00 EST becomes 03:00 EDT at 07:00Z; 2024-11-03: 02:00 EDT becomes 01:00 EST at 06:00Z
	('2024-03-10 08:59:59Z', 'America/New_York', '05:00', '2024-03-09', 'New York, five in the morning after spring forward, before'),
	('2024-03-10 09:00:00Z', 'America/New_York', '05:00', '2024-03-10', 'at five EDT'),
	('2024-03-09 09:59:59Z', 'America/New_York', '05:00', '2024-03-08', 'the day before, before five EST'),
	('2024-03-09 10:00:00Z', 'America/New_York', '05:00', '2024-03-09', 'at five EST: the 9th has 23 hours'),
	('2024-11-03 09:59:59Z', 'America/New_York', '05:00', '2024-11-02', 'New York, autumn, before five EST'),
	('2024-11-03 10:00:00Z', 'America/New_York', '05:00', '2024-11-03', 'at five EST: the 2nd had 25 hours'),
	('2024-03-10 07:00:00Z', 'America/New_York', '02:00', '2024-03-10', 'New York, the day begins at a skipped two o''clock: at three'),
	('2024-03-10 06:59:59Z', 'America/New_York', '02:00', '2024-03-09', 'not before'),
	('2024-03-10 07:29:59Z', 'America/New_York', '02:30', '2024-03-09', 'New York, a skipped 02:30 is 03:30 EDT, before'),
	('2024-03-10 07:30:00Z', 'America/New_York', '02:30', '2024-03-10', 'at it'),
	('2024-11-03 05:30:00Z', 'America/New_York', '01:30', '2024-11-02', 'New York, 01:30 comes twice: the first is not the beginning'),
	('2024-11-03 05:59:59Z', 'America/New_York', '01:30', '2024-11-02', 'so that the day does not go back at 01:00'),
	('2024-11-03 06:30:00Z', 'America/New_York', '01:30', '2024-11-03', 'the second is'),
	-- Berlin 2024-03-31: 02:00 CET becomes 03:00 CEST at 01:00Z; 2024-10-27: 03:00 CEST becomes 02:00 CET at 01:00Z
	('2024-03-31 02:59:59Z', 'Europe/Berlin', '05:00', '2024-03-30', 'Berlin, spring, before five CEST'),
	('2024-03-31 03:00:00Z', 'Europe/Berlin', '05:00', '2024-03-31', 'at five CEST'),
	('2024-10-27 03:59:59Z', 'Europe/Berlin', '05:00', '2024-10-26', 'Berlin, autumn, before five CET'),
	('2024-10-27 04:00:00Z', 'Europe/Berlin', '05:00', '2024-10-27', 'at five CET'),
	('2024-03-31 01:29:59Z', 'Europe/Berlin', '02:30', '2024-03-30', 'Berlin, a skipped 02:30'),
	('2024-03-31 01:30:00Z', 'Europe/Berlin', '02:30', '2024-03-31', 'is 03:30'),
	-- Lord Howe changes by half an hour: 2024-10-06 02:00 +10:30 becomes 02:30 +11 at 15:30Z; 2024-04-07 02:00 +11 becomes 01:30 +10:30 at 15:00Z
	('2024-10-05 17:59:59Z', 'Australia/Lord_Howe', '05:00', '2024-10-05', 'Lord Howe, spring, before five'),
	('2024-10-05 18:00:00Z', 'Australia/Lord_Howe', '05:00', '2024-10-06', 'at five +11'),
	('2024-04-06 18:29:59Z', 'Australia/Lord_Howe', '05:00', '2024-04-06', 'Lord Howe, autumn, before five'),
	('2024-04-06 18:30:00Z', 'Australia/Lord_Howe', '05:00', '2024-04-07', 'at five +10:30'),
	('2024-10-05 15:44:59Z', 'Australia/Lord_Howe', '02:15', '2024-10-05', 'Lord Howe, a skipped 02:15'),
	('2024-10-05 15:45:00Z', 'Australia/Lord_Howe', '02:15', '2024-10-06', 'is 02:45'),
	('2024-04-06 14:45:00Z', 'Australia/Lord_Howe', '01:45', '2024-04-06', 'Lord Howe, 01:45 comes twice: the first'),
	('2024-04-06 15:15:00Z', 'Australia/Lord_Howe', '01:45', '2024-04-07', 'and the second'),
	-- a zone that left out a date
	('2011-12-30 09:59:59Z', 'Pacific/Apia', '05:00', '2011-12-29', 'Apia had no 30 December 2011'),
	('2011-12-30 15:00:00Z', 'Pacific/Apia', '05:00', '2011-12-31', 'so the 31st follows the 29th');
select is(business_date(moment, zone, start), day, why) from said order by zone, moment;

select is(business_date(null, 'Asia/Seoul', '05:00'), null, 'null gives null');
select throws_ok($$select business_date(now(), 'Asia/Soul', '05:00')$$, '22023', null, 'an unknown zone is an error');
set local timezone = 'Pacific/Kiritimati';
select is(business_date('2024-07-01 19:59:59Z', 'Asia/Seoul', '05:00'), '2024-07-01'::date, 'the session''s own zone does not matter');
set local timezone = 'America/Los_Angeles';
select is(business_date('2024-07-01 19:59:59Z', 'Asia/Seoul', '05:00'), '2024-07-01'::date, 'nor does another');

-- By its definition: over four days around each change, every ten minutes.
create temporary table sample as
select zone, start, moment, business_date(moment, zone, start) as day
from (values ('Asia/Seoul', '2024-07-01'::timestamptz), ('America/New_York', '2024-03-10'), ('America/New_York', '2024-11-03'),
		('Europe/Berlin', '2024-03-31'), ('Europe/Berlin', '2024-10-27'), ('Australia/Lord_Howe', '2024-10-06'),
		('Australia/Lord_Howe', '2024-04-07'), ('America/Havana', '2024-03-10'), ('America/Havana', '2024-11-03'),
		('Africa/Casablanca', '2024-03-10'), ('Pacific/Apia', '2011-12-30')) place(zone, around),
	unnest('{00:00,00:30,01:30,01:45,02:00,02:15,02:30,05:00,23:30}'::time[]) start,
	generate_series(around - interval '2 days', around + interval '2 days', interval '10 minutes') moment;
select is_empty($$select * from sample where (day + start) at time zone zone > moment$$, 'no day has begun before its beginning');
select is_empty($$select * from sample where (day + 1 + start) at time zone zone <= moment$$, 'and none lasts into the next');
select is_empty($$select * from (select *, lag(day) over (partition by zone, start, extract(year from moment), extract(month from moment) > 6
		order by moment) as before from sample) s where day < before$$, 'days never go back');

-- Numbers as SPEC has them issued, over those days: the later of the counter's day and the clock's, from 1 in each.
\ir include/fixture.sql
create function pg_temp.take_order(store uuid, moment timestamptz) returns void
language plpgsql as $$
declare
	counter store_counters;
	today date;
begin
	select * into counter from store_counters where store_id = store for update;
	select greatest(counter.business_date, business_date(moment, time_zone, business_day_start)) into today from stores where id = store;
	counter.last_order_number := case when counter.business_date = today then counter.last_order_number else 0 end + 1;
	update store_counters set business_date = today, last_order_number = counter.last_order_number where store_id = store;
	insert into orders (store_id, table_id, table_session_id, order_number, business_date, total_price, created_at)
	values (store, 1002, 1002, counter.last_order_number, today, 1, moment);
end
$$;
create function pg_temp.number_days(zone text, start time, around timestamptz) returns setof text
language plpgsql as $$
begin
	delete from order_items;
	delete from orders;
	update store_counters set business_date = null, last_order_number = 0;
	update stores set time_zone = zone, business_day_start = start where code = 'store-b';
	perform pg_temp.take_order('00000000-0000-0000-0000-00000000000b', moment)
	from generate_series(around - interval '36 hours', around + interval '36 hours', interval '20 minutes') moment;
	return next is(
		(select count(*) from (select order_number, row_number() over (partition by business_date order by created_at) as n from orders) o
			where order_number <> n), 0::bigint, format('%s from %s: numbers run from 1 in each day', zone, start));
	return next is((select count(*) from orders where business_date <> business_date(created_at, zone, start)), 0::bigint,
		format('%s from %s: in the day of the clock', zone, start));
	return next is((select sum(n) from (select max(order_number) as n from orders group by business_date) d), (select count(*) from orders),
		format('%s from %s: none left out, none twice', zone, start));
end
$$;
select pg_temp.number_days(zone, start, around)
from (values ('Asia/Seoul', '2024-07-01'::timestamptz), ('America/New_York', '2024-03-10'), ('America/New_York', '2024-11-03'),
		('Europe/Berlin', '2024-03-31'), ('Europe/Berlin', '2024-10-27'), ('Australia/Lord_Howe', '2024-10-06'),
		('Australia/Lord_Howe', '2024-04-07')) place(zone, around),
	unnest('{00:00,02:15,05:00}'::time[]) start;

-- The beginning of the day is put later while a day is on: the counter's day stands until the clock's has caught up.
delete from orders;
update store_counters set business_date = null, last_order_number = 0;
update stores set time_zone = 'Asia/Seoul', business_day_start = '00:00' where code = 'store-b';
select pg_temp.take_order(:'b', '2024-07-01 16:00Z') as ignored \gset
update stores set business_day_start = '05:00' where code = 'store-b';
select pg_temp.take_order(:'b', '2024-07-01 17:00Z') as ignored \gset
select results_eq('select business_date, order_number from orders order by created_at',
	$$values ('2024-07-02'::date, 1), ('2024-07-02'::date, 2)$$, 'a day once begun goes on when its beginning is put later');

select * from finish();
rollback;
