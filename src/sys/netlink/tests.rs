use super::message::{DONE, ERROR, padded};
use super::*;

/// A message as the kernel sends one.
fn answer(kind: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let mut message = Message::new(kind, 0);
    message.bytes.extend(body);
    let mut bytes = message.sealed(sequence).unwrap();
    bytes.resize(padded(bytes.len()), 0);
    bytes
}

/// `struct ifaddrmsg` of an address with these flags, scope and label.
fn body(index: i32, flags: u32, scope: u8) -> Vec<u8> {
    let mut message = Message { bytes: Vec::new() };
    message.bytes.extend([2, 24, 0x80, scope]);
    message.bytes.extend(index.to_ne_bytes());
    message.attribute(1, &[10, 0, 0, 7]).unwrap();
    message.attribute(2, &[10, 0, 0, 7]).unwrap();
    message.attribute(3, b"eth0\0").unwrap();
    message.attribute(IFA_FLAGS, &flags.to_ne_bytes()).unwrap();
    message.bytes
}

#[test]
fn an_address_is_kept_without_its_label() {
    let kept = address(&body(4, 0x280, 0), 4).unwrap();
    assert_eq!((kept.family, kept.prefix, kept.flags), (2, 24, 0x280));
    let kinds: Vec<u16> = kept.attributes.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [1, 2]);
}

#[test]
fn other_addresses_are_left() {
    assert_eq!(address(&body(5, 0x80, 0), 4), None, "another device's");
    assert_eq!(address(&body(4, 0x80, 253), 4), None, "of link scope");
    assert_eq!(address(&body(4, 0, 0), 4), None, "not permanent");
}

#[test]
fn answers_end_with_a_word_for_it() {
    let mut answers = Vec::new();
    let mut datagram = answer(16, 7, b"one.");
    datagram.extend(answer(16, 6, b"of another request"));
    datagram.extend(answer(16, 7, b"second"));
    assert_eq!(read(&datagram, 7, &mut answers), None);
    assert_eq!(answers, [b"one.".to_vec(), b"second".to_vec()]);
    let end = |kind, errno: i32| read(&answer(kind, 7, &errno.to_ne_bytes()), 7, &mut Vec::new());
    assert_eq!(end(DONE, 0), Some(Ok(())));
    assert_eq!(end(ERROR, 0), Some(Ok(())));
    assert_eq!(end(ERROR, -libc::EEXIST), Some(Err(libc::EEXIST)));
}

#[test]
fn no_length_is_believed() {
    let whole = answer(16, 7, &body(4, 0x80, 0));
    for cut in 0..whole.len() {
        let mut answers = Vec::new();
        assert_eq!(read(&whole[..cut], 7, &mut answers), None);
        assert_eq!(answers.len(), 0, "{cut}");
    }
    let mut lying = whole;
    lying[..4].copy_from_slice(&0u32.to_ne_bytes());
    assert_eq!(read(&lying, 7, &mut Vec::new()), None);
    lying[..4].copy_from_slice(&u32::MAX.to_ne_bytes());
    assert_eq!(read(&lying, 7, &mut Vec::new()), None);
    for odd in [&[0u8; 3][..], &[3, 0, 1, 0], &[255, 255, 1, 0, 9]] {
        assert_eq!(attributes(odd), []);
    }
    assert!(Message::new(SETLINK, 0).attribute(3, &[0; 70_000]).is_err());
}

#[test]
fn the_kernel_tells_of_lo_and_of_nothing_else() {
    let mut netlink = Netlink::open().unwrap();
    let lo = netlink.find(c"lo").unwrap().unwrap();
    assert!(lo.index > 0);
    assert_eq!(netlink.find(c"no-such-device").unwrap(), None);
    netlink.addresses(lo.index).unwrap();
}
