//! Countries: ISO 3166-1 alpha-2 code, quarter-hours from UTC, weight; roughly by people online.

/// The first ones are those of the standard world.
const TABLE: &str = "\
US:-24:290 IN:22:260 BR:-12:150 CN:32:240 ID:28:120 JP:36:105 DE:4:80 MX:-24:78 GB:0:66 FR:4:62 TR:12:58 PH:32:60 \
VN:28:62 NG:4:56 EG:8:50 KR:36:50 PK:20:52 BD:24:46 TH:28:44 IT:4:46 ES:4:44 PL:4:34 CA:-20:38 AR:-12:38 CO:-20:34 \
ZA:8:34 AU:40:28 NL:4:26 UA:8:28 PE:-20:24 CL:-16:22 SE:4:20 KE:12:22 PT:0:20 CH:4:16 NZ:48:14 IS:0:3 RU:12:90 \
IR:14:50 SA:12:30 MY:32:28 MA:4:26 TW:32:22 DZ:4:24 UZ:20:20 IQ:12:24 RO:8:17 GH:0:16 KZ:20:15 NP:23:14 ET:12:18 \
VE:-16:16 BE:4:11 CZ:4:9 GR:8:8 HU:4:8 AT:4:8 IL:8:8 AE:16:9 HK:32:7 SG:32:6 DK:4:6 FI:8:5 NO:4:5 IE:0:5 LK:22:9 \
EC:-20:12 GT:-24:8 DO:-16:8 BO:-16:7 TN:4:8 TZ:12:12 UG:12:10 CI:0:9 CM:4:9 SN:0:7 AO:4:8 MZ:8:6 ZM:8:5 ZW:8:5 \
SD:8:9 JO:12:7 SY:12:6 LB:8:5 YE:12:6 KW:12:4 QA:12:3 OM:16:4 BH:12:2 AZ:16:7 GE:16:3 AM:16:2 BY:12:7 BG:8:5 RS:4:6 \
HR:4:3 SK:4:5 SI:4:2 LT:8:2 LV:8:2 EE:8:1 MD:8:2 AL:4:2 MK:4:2 BA:4:3 ME:4:1 XK:4:1 LU:4:1 MT:4:1 CY:8:1 CR:-24:4 \
PA:-20:3 UY:-12:3 PY:-12:5 SV:-24:4 HN:-24:5 NI:-24:3 CU:-20:6 HT:-20:4 JM:-20:2 TT:-16:1 PR:-16:3 GY:-16:1 SR:-12:1 \
BZ:-24:1 BB:-16:1 BS:-20:1 KH:28:9 LA:28:4 MM:26:16 MN:32:2 BN:32:1 TL:36:1 PG:40:2 FJ:48:1 KG:24:4 TJ:20:3 TM:20:2 \
AF:18:7 BT:24:1 MV:20:1 ML:0:6 BF:0:5 NE:4:4 TD:4:2 BJ:4:4 TG:0:3 GN:0:4 SL:0:2 LR:0:2 GM:0:1 MR:0:2 GW:0:1 CV:-4:1 \
GA:4:1 CG:4:2 CD:4:12 CF:4:1 GQ:4:1 RW:8:3 BI:8:1 SO:12:2 DJ:12:1 ER:12:1 SS:8:1 MW:8:3 MG:12:4 MU:16:1 SC:16:1 \
KM:12:1 LS:8:1 SZ:8:1 BW:8:1 NA:8:1 LY:8:4 RE:16:1 PS:8:3 MO:32:1 AD:4:1 LI:4:1 MC:4:1 SM:4:1 FO:0:1 GL:-8:1 GI:4:1 \
JE:0:1 GG:0:1 IM:0:1 AX:8:1 GP:-16:1 MQ:-16:1 GF:-12:1 CW:-16:1 AW:-16:1 KY:-20:1 BM:-16:1 VG:-16:1 VI:-16:1 AG:-16:1 \
DM:-16:1 GD:-16:1 KN:-16:1 LC:-16:1 VC:-16:1 GU:40:1 NC:44:1 PF:-40:1 WS:52:1 TO:52:1 VU:44:1 SB:44:1 KI:48:1 FM:44:1 \
MH:48:1 PW:36:1";

/// The first `n` countries: code, quarter-hours from UTC, weight.
pub(crate) fn first(n: usize) -> Vec<([u8; 2], i64, u32)> {
    TABLE.split_ascii_whitespace().filter_map(parse).take(n).collect()
}

fn parse(entry: &str) -> Option<([u8; 2], i64, u32)> {
    let mut fields = entry.split(':');
    let code = fields.next()?.as_bytes().try_into().ok()?;
    Some((code, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_entry_is_read_and_unique() {
        let all = first(usize::MAX);
        assert_eq!(all.len(), TABLE.split_ascii_whitespace().count());
        assert!(all.len() >= 200, "{}", all.len());
        assert_eq!(all.iter().map(|c| c.0).collect::<HashSet<_>>().len(), all.len());
        assert!(all.iter().all(|(code, offset, weight)| {
            code.iter().all(u8::is_ascii_uppercase) && (-48..=56).contains(offset) && *weight > 0
        }));
    }
}
