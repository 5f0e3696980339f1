use super::super::Otherwise;
use super::super::tests::{planned, refusal, settings};
use serde_json::{Value, json};

#[test]
fn memory() {
    let of = |memory: Value| settings(json!({"memory": memory}));
    assert_eq!(
        of(json!({"limit": 100, "reservation": 50})),
        [
            "memory.max = 100 (/memory/limit)",
            "memory.low = 50 (/memory/reservation)"
        ]
    );
    assert_eq!(
        of(json!({"limit": 100, "swap": 150})),
        [
            "memory.swap.max = 50 (/memory/swap)",
            "memory.max = 100 (/memory/limit)"
        ]
    );
    assert_eq!(
        of(json!({"limit": 100, "swap": 100})),
        [
            "memory.swap.max = 0 (/memory/swap)",
            "memory.max = 100 (/memory/limit)"
        ]
    );
    assert_eq!(
        of(json!({"limit": 100, "swap": -1})),
        [
            "memory.swap.max = max (/memory/swap)",
            "memory.max = 100 (/memory/limit)"
        ]
    );
    assert_eq!(
        of(json!({"limit": -1})),
        [
            "memory.swap.max = max (/memory/limit)",
            "memory.max = max (/memory/limit)"
        ]
    );
    assert_eq!(
        of(json!({"limit": -1, "swap": 7})),
        [
            "memory.swap.max = 7 (/memory/swap)",
            "memory.max = max (/memory/limit)"
        ]
    );
    assert!(of(json!({"limit": 0, "swap": 0, "reservation": 0})).is_empty());
}

#[test]
fn memory_that_cannot_be_meant_is_refused() {
    assert_eq!(
        refusal(json!({"memory": {"limit": 100, "swap": 99}})),
        "cannot set memory.swap.max: /memory/swap: refused: it counts memory and swap together, and is less than the memory limit (hint: make it 100 or more, or -1 for any amount of swap)"
    );
    assert!(refusal(json!({"memory": {"swap": 99}})).contains("there is no memory limit"));
    assert!(
        refusal(json!({"memory": {"limit": -2}}))
            .starts_with("cannot set memory.max: /memory/limit: refused")
    );
}

#[test]
fn a_kernel_without_swap_needs_no_limit_of_it() {
    let absent = |memory: Value| {
        planned(json!({"memory": memory})).unwrap().settings[0]
            .otherwise
            .clone()
    };
    assert_eq!(
        absent(json!({"limit": 100, "swap": 100})),
        Otherwise::Ignore
    );
    assert_eq!(absent(json!({"limit": 100, "swap": 101})), Otherwise::Fail);
}

/// Found by conformance/fuzz: the swap was reckoned from a limit that nobody had looked at.
#[test]
fn a_negative_limit_is_refused_before_swap_is_reckoned_from_it() {
    for limit in [-2, i64::MIN] {
        assert_eq!(
            refusal(json!({"memory": {"limit": limit, "swap": 67_108_864}})),
            "cannot set memory.max: /memory/limit: refused: a limit is a number from 0 on, or -1 for none"
        );
    }
}

#[test]
fn processes_and_huge_pages() {
    let pids = |limit: i64| settings(json!({"pids": {"limit": limit}}));
    assert_eq!(pids(7), ["pids.max = 7 (/pids/limit)"]);
    assert_eq!(pids(-1), ["pids.max = max (/pids/limit)"]);
    assert_eq!(pids(0), ["pids.max = 0 (/pids/limit)"]);
    let pages = |size: &str| json!({"hugepageLimits": [{"pageSize": size, "limit": 4096}]});
    assert_eq!(
        settings(pages("2MB")),
        [
            "hugetlb.2MB.max = 4096 (/hugepageLimits/0/limit)",
            "hugetlb.2MB.rsvd.max = 4096 (/hugepageLimits/0/limit)"
        ]
    );
    assert_eq!(
        planned(pages("1GB")).unwrap().settings[1].otherwise,
        Otherwise::Ignore
    );
    for size in [
        "", "MB", "2M", "02MB", "2mb", "../2MB", "2MB/x", "2MB.max", "-2MB", "2 MB", "2MB\n",
    ] {
        assert_eq!(
            refusal(pages(size)),
            "cannot limit huge pages: /hugepageLimits/0/pageSize: refused: a page size is a number and KB, MB or GB, such as 2MB",
            "{size:?}"
        );
    }
}
