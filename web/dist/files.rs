// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-DeQY3ZEH.js", kind: "text/javascript; charset=utf-8", digest: "a35dd6ef0cefe019", bytes: include_bytes!("assets/controls-DeQY3ZEH.js") },
    File { path: "assets/embed-UGAfv2gH.js", kind: "text/javascript; charset=utf-8", digest: "53122ae58375e383", bytes: include_bytes!("assets/embed-UGAfv2gH.js") },
    File { path: "assets/main-bj0X70I7.js", kind: "text/javascript; charset=utf-8", digest: "c6ac8a75f631c300", bytes: include_bytes!("assets/main-bj0X70I7.js") },
    File { path: "assets/method-CdS5mPOK.js", kind: "text/javascript; charset=utf-8", digest: "f33f58142e11b3c1", bytes: include_bytes!("assets/method-CdS5mPOK.js") },
    File { path: "assets/stage-chart-BrmDRtc1.js", kind: "text/javascript; charset=utf-8", digest: "733c1d678b8d99ea", bytes: include_bytes!("assets/stage-chart-BrmDRtc1.js") },
    File { path: "assets/stage-chart-C4iNHooe.css", kind: "text/css; charset=utf-8", digest: "829cdbb5546185e5", bytes: include_bytes!("assets/stage-chart-C4iNHooe.css") },
    File { path: "assets/where-DptnHEmq.js", kind: "text/javascript; charset=utf-8", digest: "1a58ab1268e9fa6a", bytes: include_bytes!("assets/where-DptnHEmq.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "b390db377cf1d7f7", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "3e415473268a73fd", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
