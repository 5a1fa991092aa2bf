//! The keys of a client's Initial packets (RFC 9001, 5; RFC 9369, 3.3).

use std::ops::Range;

use cutshort_packet::quic::Version;
use ring::aead::quic::HeaderProtectionKey;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey, quic};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

const SALT_V1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
    0xbb, 0x7f, 0x0a,
];
const SALT_V2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
    0xbd, 0x2e, 0xd9,
];
/// Of the drafts 29 to 32 (draft-ietf-quic-tls-29, 5.2).
const SALT_DRAFT: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43,
    0x90, 0xa8, 0x99,
];

/// Constants by which the keys of versions differ.
struct Constants {
    salt: &'static [u8; 20],
    key: &'static str,
    iv: &'static str,
    hp: &'static str,
}

impl Constants {
    const fn of(version: Version) -> Self {
        let (salt, is_v2) = match version {
            Version::V2 => (&SALT_V2, true),
            Version::Draft29 | Version::Draft30 | Version::Draft31 | Version::Draft32 => (&SALT_DRAFT, false),
            _ => (&SALT_V1, false),
        };
        match is_v2 {
            true => Self { salt, key: "quicv2 key", iv: "quicv2 iv", hp: "quicv2 hp" },
            false => Self { salt, key: "quic key", iv: "quic iv", hp: "quic hp" },
        }
    }
}

/// The keys of the packets that a client sends.
pub(crate) struct ClientKeys {
    key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    header: HeaderProtectionKey,
}

impl ClientKeys {
    /// The keys by the destination id that the client sent first; `None` should the library refuse.
    pub(crate) fn of(version: Version, dcid: &[u8]) -> Option<Self> {
        let constants = Constants::of(version);
        let initial = Salt::new(HKDF_SHA256, constants.salt).extract(dcid);
        let secret: [u8; 32] = expanded(&initial, "client in")?;
        let client = Prk::new_less_safe(HKDF_SHA256, &secret);
        let key: [u8; 16] = expanded(&client, constants.key)?;
        let header: [u8; 16] = expanded(&client, constants.hp)?;
        Some(Self {
            key: LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?),
            iv: expanded(&client, constants.iv)?,
            header: HeaderProtectionKey::new(&quic::AES_128, &header).ok()?,
        })
    }

    /// Opens a whole packet in place, whose protected packet number begins at `number_at`; returns where its frames are.
    ///
    /// The packet number is taken as it was sent, in up to four bytes: a client sends few Initial packets.
    pub(crate) fn open(&self, packet: &mut [u8], number_at: usize) -> Option<Range<usize>> {
        // The sample is taken as if the number had four bytes (RFC 9001, 5.4.2).
        let sample = packet.get(number_at.checked_add(4)?..)?.get(..self.header.algorithm().sample_len())?;
        let [first, masks @ ..] = self.header.new_mask(sample).ok()?;
        packet[0] ^= first & 0x0f;
        let number_len = usize::from(packet[0] & 3) + 1;
        let frames_at = number_at + number_len;
        let mut nonce = self.iv;
        for (at, mask) in masks.into_iter().enumerate().take(number_len) {
            packet[number_at + at] ^= mask;
            nonce[NONCE_LEN - number_len + at] ^= packet[number_at + at];
        }
        let (header, sealed) = packet.split_at_mut(frames_at);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let frames = self.key.open_in_place(nonce, Aad::from(header), sealed).ok()?.len();
        Some(frames_at..frames_at + frames)
    }
}

/// So many bytes.
struct Len(usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label of TLS 1.3 without context (RFC 8446, 7.1).
fn expanded<const N: usize>(secret: &Prk, label: &str) -> Option<[u8; N]> {
    let len = u16::try_from(N).ok()?.to_be_bytes();
    let label_len = [u8::try_from("tls13 ".len() + label.len()).ok()?];
    let info = [&len[..], &label_len, b"tls13 ", label.as_bytes(), &[0]];
    let mut bytes = [0; N];
    secret.expand(&info, Len(N)).and_then(|expanded| expanded.fill(&mut bytes)).ok()?;
    Some(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap());
        pairs.collect()
    }

    /// The destination id of all examples.
    const DCID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

    /// The examples of RFC 9001, A.1 and A.2; RFC 9369, A.1 and A.2; draft-ietf-quic-tls-29, A.1 and A.2.
    const EXAMPLES: [Example; 3] = [
        Example {
            version: Version::V1,
            iv: "fa044b2f42a3fd3b46fb255c",
            header: "c300000001088394c8f03e5157080000449e00000002",
            begin: "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b",
            end: "e221af44860018ab0856972e194cd934",
        },
        Example {
            version: Version::V2,
            iv: "91f73e2351d8fa91660e909f",
            header: "d36b3343cf088394c8f03e5157080000449e00000002",
            begin: "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071",
            end: "a18b2faa745b6fe189cf772a9f84cbfc",
        },
        Example {
            version: Version::Draft29,
            iv: "6b26114b9cba2b63a9e8dd4f",
            header: "c3ff00001d088394c8f03e5157080000449e00000002",
            begin: "c5ff00001d088394c8f03e5157080000449e4a95245bfb66bc5f93032b7ddd89fe0ff15d9c4f",
            end: "d8d3f725ead1391377dcc0",
        },
    ];

    struct Example {
        version: Version,
        iv: &'static str,
        header: &'static str,
        /// Of the protected packet.
        begin: &'static str,
        end: &'static str,
    }

    /// The CRYPTO frame of the examples in RFCs; PADDING follows it.
    const FRAME: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c0000041301130201\
        0000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500050100000000\
        003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306\
        030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f\
        088394c8f03e51570806048000ffff";
    /// That of the draft.
    const DRAFT_FRAME: &str = "060040c4010000c003036660261ff947cea49cce6cfad687f457cf1b14531ba14131a0e8f309a1d0b9c4000006130113\
        031302010000910000000b0009000006736572766572ff01000100000a00140012001d00170018001901000101010201030104002300000033002600\
        24001d00204cfdfcd178b784bf328cae793b136f2aedce005ff183d7bb1495207236647037002b0003020304000d0020001e04030503060302030804\
        0805080604010501060102010402050206020202002d00020101001c00024001";

    impl Example {
        fn plaintext(&self) -> Vec<u8> {
            let mut frames = hex(if self.version == Version::Draft29 { DRAFT_FRAME } else { FRAME });
            frames.resize(1162, 0);
            frames
        }
    }

    /// Protects a packet, by the same keys.
    fn sealed(keys: &ClientKeys, header: &[u8], number_len: usize, frames: &[u8]) -> Vec<u8> {
        let number_at = header.len() - number_len;
        let mut nonce = keys.iv;
        for (at, byte) in header[number_at..].iter().enumerate() {
            nonce[NONCE_LEN - number_len + at] ^= byte;
        }
        let mut sealed = frames.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        keys.key.seal_in_place_append_tag(nonce, Aad::from(header), &mut sealed).unwrap();
        let mut packet = [header, &sealed].concat();
        let mask = keys.header.new_mask(&packet[number_at + 4..number_at + 20]).unwrap();
        packet[0] ^= mask[0] & 0x0f;
        (0..number_len).for_each(|at| packet[number_at + at] ^= mask[1 + at]);
        packet
    }

    /// An Initial packet of version 1 with the keys of one id that is sent with another.
    pub(crate) fn initial(keys_of: &[u8], dcid: &[u8], frames: &[u8]) -> Vec<u8> {
        let mut header = vec![0xc0, 0, 0, 0, 1, dcid.len() as u8];
        header.extend(dcid);
        // No source id, no token; the Length of the rest, and the packet number.
        header.extend([0, 0, (1 + frames.len() + 16) as u8, 0]);
        sealed(&ClientKeys::of(Version::V1, keys_of).unwrap(), &header, 1, frames)
    }

    #[test]
    fn packets_are_those_of_the_standards() {
        for example in &EXAMPLES {
            let keys = ClientKeys::of(example.version, &DCID).unwrap();
            assert_eq!(keys.iv[..], hex(example.iv));
            let mut packet = sealed(&keys, &hex(example.header), 4, &example.plaintext());
            assert_eq!(packet.len(), 1200);
            let name = example.version.name();
            assert!(packet.starts_with(&hex(example.begin)) && packet.ends_with(&hex(example.end)), "{name}");
            let frames = keys.open(&mut packet, 18).unwrap();
            assert_eq!(packet[frames], example.plaintext(), "{name}");
        }
    }

    #[test]
    fn drafts_have_the_keys_of_their_time() {
        let iv = |version| ClientKeys::of(version, &DCID).unwrap().iv;
        for old in [Version::Draft30, Version::Draft31, Version::Draft32] {
            assert_eq!(iv(old), iv(Version::Draft29));
        }
        for new in [Version::Draft33, Version::Draft34] {
            assert_eq!(iv(new), iv(Version::V1));
        }
    }

    #[test]
    fn numbers_have_one_to_four_bytes() {
        let keys = ClientKeys::of(Version::V1, &DCID).unwrap();
        for number_len in 1..=4 {
            let mut header = hex("c000000001088394c8f03e51570800004041");
            header[0] |= number_len as u8 - 1;
            header.extend(vec![0x11; number_len]);
            let packet = sealed(&keys, &header, number_len, &[1; 40]);
            let mut opened = packet.clone();
            assert_eq!(keys.open(&mut opened, 18).map(|frames| opened[frames].to_vec()), Some(vec![1; 40]));
            for changed in 0..packet.len() {
                let mut packet = packet.clone();
                packet[changed] ^= 0x10;
                assert_eq!(keys.open(&mut packet, 18), None, "byte {changed}");
            }
        }
    }

    #[test]
    fn what_is_too_short_for_header_protection_is_not_opened() {
        let keys = ClientKeys::of(Version::V1, &DCID).unwrap();
        for len in 0..40 {
            assert_eq!(keys.open(&mut vec![0xc0; 18 + len], 18), None);
        }
        assert_eq!(keys.open(&mut [], usize::MAX), None);
    }
}
