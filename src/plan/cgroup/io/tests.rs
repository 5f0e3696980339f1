use super::super::Otherwise;
use super::super::tests::{planned, refusal, settings};
use serde_json::{Value, json};

#[test]
fn block_devices() {
    let device = |more: Value| {
        let mut device = json!({"major": 8, "minor": 16});
        device
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!([device])
    };
    let of = |member: &str, value: Value| settings(json!({"blockIO": {member: value}}));
    assert_eq!(
        of("weight", json!(500)),
        ["io.bfq.weight = 500 (/blockIO/weight)"]
    );
    assert_eq!(
        of("weightDevice", device(json!({"weight": 10}))),
        ["io.bfq.weight = 8:16 10 (/blockIO/weightDevice/0/weight)"]
    );
    for (member, key) in [
        ("throttleReadBpsDevice", "rbps"),
        ("throttleWriteBpsDevice", "wbps"),
        ("throttleReadIOPSDevice", "riops"),
        ("throttleWriteIOPSDevice", "wiops"),
    ] {
        assert_eq!(
            of(member, device(json!({"rate": 600}))),
            [format!("io.max = 8:16 {key}=600 (/blockIO/{member}/0)")]
        );
    }
    assert_eq!(
        of("throttleReadBpsDevice", device(json!({"rate": 0}))),
        ["io.max = 8:16 rbps=max (/blockIO/throttleReadBpsDevice/0)"]
    );
    let other = |block: Value| {
        planned(json!({"blockIO": block})).unwrap().settings[0]
            .otherwise
            .clone()
    };
    let weight = |value: &str| Otherwise::Write {
        file: "io.weight".into(),
        value: value.into(),
    };
    assert_eq!(other(json!({"weight": 10})), weight("1"));
    assert_eq!(other(json!({"weight": 1000})), weight("10000"));
    assert_eq!(
        other(json!({"weightDevice": device(json!({"weight": 1000}))})),
        weight("8:16 10000")
    );
    assert!(refusal(json!({"blockIO": {"weight": 5}})).contains("a weight is from 10 to 1000"));
}

#[test]
fn rdma_devices_stand_in_order_of_their_names() {
    assert_eq!(
        settings(
            json!({"rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}, "mlx4_0": {"hcaObjects": 1000}}})
        ),
        [
            "rdma.max = mlx4_0 hca_object=1000 (/rdma/mlx4_0)",
            "rdma.max = mlx5_1 hca_handle=3 hca_object=10000 (/rdma/mlx5_1)"
        ]
    );
    assert!(refusal(json!({"rdma": {"a": {}}})).contains("neither hcaHandles nor hcaObjects"));
    assert!(refusal(json!({"rdma": {"a b": {"hcaObjects": 1}}})).contains("without spaces"));
}
