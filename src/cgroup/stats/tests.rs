use super::*;
use serde_json::{json, to_value};

#[test]
fn devices_as_version_one_names_them() {
    let text = "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=7 dios=7\n253:1 \n\nloop0 rbytes=1\n259:3 rbytes=5 wbytes=6 rios=7 wios=8\n";
    let of = |read, write| to_value(entries(text, read, write)).unwrap();
    assert_eq!(
        of("rbytes", "wbytes"),
        json!([
            {"major": 8, "op": "Read", "value": 4096},
            {"major": 8, "op": "Write"},
            {"major": 259, "minor": 3, "op": "Read", "value": 5},
            {"major": 259, "minor": 3, "op": "Write", "value": 6},
        ])
    );
    assert_eq!(of("rios", "wios").as_array().unwrap().len(), 4);
}

#[test]
fn lists_of_processors() {
    assert_eq!(numbers("0-3,7\n"), [0, 1, 2, 3, 7]);
    assert_eq!(numbers("\n"), [0; 0]);
}

#[test]
fn how_long_they_waited() {
    let text = "some avg10=1.50 avg60=0.25 avg300=0.00 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
    assert_eq!(
        to_value(pressure::parse(text)).unwrap(),
        json!({
            "some": {"avg10": 1.5, "avg60": 0.25, "avg300": 0.0, "total": 12345},
            "full": {"avg10": 0.0, "avg60": 0.0, "avg300": 0.0, "total": 7},
        })
    );
    assert_eq!(pressure::parse(""), None);
}

#[test]
fn the_shape_that_readers_of_runc_expect() {
    let nothing = to_value(Stats::default()).unwrap();
    assert_eq!(
        nothing["cpu"],
        json!({"usage": {"kernel": 0, "user": 0}, "throttling": {}})
    );
    assert_eq!(
        nothing["memory"]["kernelTCP"],
        json!({"limit": 0, "failcnt": 0})
    );
    assert_eq!(nothing["network_interfaces"], json!(null));
    assert_eq!(nothing["hugetlb"], json!({}));
    let text = serde_json::to_string(&Stats::default()).unwrap();
    assert!(text.starts_with(r#"{"cpu":"#) && text.contains(r#""sched_relax_domain_level":0}"#));
}
