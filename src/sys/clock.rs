//! The time of day as RFC 3339, always in UTC. Unlike the rest of this folder it makes strings:
//! it is for records and logs, and never runs in the child.

const SECONDS_A_DAY: i64 = 86_400;
/// The Gregorian calendar repeats after 400 years, which have this many days.
const DAYS_AN_ERA: i64 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_468;

/// Now, such as `2026-11-22T03:27:13.052000001Z`.
#[must_use]
pub fn now_rfc3339() -> String {
    let (seconds, nanos) = now();
    format(seconds, nanos)
}

/// By the call itself: for one look at the clock it would cost more to find the vDSO's function. A clock that
/// cannot be read shows 1970: a wrong time is no reason to fail, ignored.
#[cfg(target_os = "linux")]
fn now() -> (i64, u32) {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a timespec that lives across the call; on 64 bits it is the kernel's own.
    unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_REALTIME, &raw mut now) };
    (now.tv_sec, u32::try_from(now.tv_nsec).unwrap_or_default())
}

#[cfg(windows)]
fn now() -> (i64, u32) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or((0, 0), |now| {
        (now.as_secs().cast_signed(), now.subsec_nanos())
    })
}

/// `seconds` since 1970-01-01T00:00:00Z (before it: negative) and `nanos` (below 1,000,000,000), as
/// RFC 3339 with nine digits of fraction.
#[must_use]
pub fn format(seconds: i64, nanos: u32) -> String {
    let (year, month, day) = civil(seconds.div_euclid(SECONDS_A_DAY));
    let second = seconds.rem_euclid(SECONDS_A_DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

/// (year, month, day) of a day counted from 1970-01-01. A year is taken to begin in March, so that
/// the leap day is its last one and every month's length follows from one straight line.
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + DAYS_BEFORE_1970;
    let (era, day) = (day.div_euclid(DAYS_AN_ERA), day.rem_euclid(DAYS_AN_ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + later, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        let moments = [
            (0, 0, "1970-01-01T00:00:00.000000000Z"),
            (-1, 999_999_999, "1969-12-31T23:59:59.999999999Z"),
            (951_782_399, 1, "2000-02-28T23:59:59.000000001Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000000000Z"),
            (951_868_800, 0, "2000-03-01T00:00:00.000000000Z"),
            (1_000_000_000, 0, "2001-09-09T01:46:40.000000000Z"),
            (1_709_164_800, 0, "2024-02-29T00:00:00.000000000Z"),
            (1_735_689_599, 0, "2024-12-31T23:59:59.000000000Z"),
            (2_147_483_648, 0, "2038-01-19T03:14:08.000000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000000Z"),
            (4_107_456_000, 0, "2100-02-28T00:00:00.000000000Z"),
            (253_402_300_799, 0, "9999-12-31T23:59:59.000000000Z"),
        ];
        for (seconds, nanos, expected) in moments {
            assert_eq!(format(seconds, nanos), expected);
        }
    }

    #[test]
    fn days_follow_one_another_for_a_thousand_years() {
        let mut before = civil(-1);
        for day in 0..366_000 {
            let (year, month, this) = civil(day);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let follows = match this {
                1 if month == 1 => before == (year - 1, 12, 31),
                1 => {
                    let length = [
                        31,
                        if leap { 29 } else { 28 },
                        31,
                        30,
                        31,
                        30,
                        31,
                        31,
                        30,
                        31,
                        30,
                    ];
                    before == (year, month - 1, length[usize::try_from(month - 2).unwrap()])
                }
                _ => before == (year, month, this - 1),
            };
            assert!(follows, "{before:?} then {:?}", (year, month, this));
            before = (year, month, this);
        }
    }

    #[test]
    fn now_is_after_this_was_written() {
        assert!(now_rfc3339().as_str() > "2026-11-22");
    }
}
