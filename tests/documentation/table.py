"""What the test must be told of the pages: what stands for what on a test machine, what cannot run there, and why."""

# In every block, in this order: a regular expression, and what takes its place. {names} are ports of the stage.
SUBSTITUTIONS = [
    (r"redis-server --port 6379", "redis-server --port {redis} --save ''"),
    (r"redis-server --port \$port", "redis-server --port $port --save ''"),
    (r"for port in 7001 7002 7003", "for port in {node1} {node2} {node3}"),
    (r"127\.0\.0\.1:7001", "127.0.0.1:{node1}"),
    (r"127\.0\.0\.1:7002", "127.0.0.1:{node2}"),
    (r"127\.0\.0\.1:7003", "127.0.0.1:{node3}"),
    (r"redis-cli (?!--cluster)", "redis-cli -p {redis} "),
    (r"redis://other\.example:6379/0", "redis://127.0.0.1:{redis}/1"),
    (r"127\.0\.0\.1:6379", "127.0.0.1:{redis}"),
    (r"127\.0\.0\.1:8447", "127.0.0.1:{control}"),
    (r"127\.0\.0\.1:9464", "127.0.0.1:{admin}"),
    # A reader waits for a program that has just been started; so does the script.
    (r"(?m)^tocsin sim( &.*)?$", "tocsin sim {simulator} & wait_for_simulator"),
    (r"(?m)^(tocsin serve[^&\n]*?) *&?$", r"\1 & wait_for_engine"),
    (r"(?m)^tocsin sim --json .*$", "tocsin sim --directory other --json {free} > ports & until [ -s ports ]; do true; done; kill $!"),
    # Names of devices and letters that a page leaves out.
    (r"--token 5f2c…", "--token $PHONE"),
    (r"--token dXo9…", "--token dXo9bHjKQ0:APA91bEexampleexample01"),
    (r"--device 5f2c…", "--device dXo9bHjKQ0:APA91bEexampleexample01"),
    (r"device:fcm:TOKEN", "device:fcm:dXo9bHjKQ0:APA91bEexampleexample01"),
    (r'"token": "…"', '"token": "dXo9bHjKQ0:APA91bEexampleexample04"'),
    (r"1795422043537-0", "$LETTER"),
    (r"XREAD BLOCK 0 STREAMS tocsin:reach '\$'", "XREAD STREAMS tocsin:reach 0"),
    (r"openssl pkcs12 (.*)", r"openssl pkcs12 -passin pass: \1"),
    (r"v_mvt_commune_2026\.csv", "movements.csv"),
]

# Before the first block of a page, in the folder in which its blocks run. What a page takes for granted.
BEFORE = {
    "docs/how-to/test-against-the-simulator.md": "start_redis",
    "docs/how-to/import-devices.md": r"""
        printf '%s\n' '{"op": "register", "app": "mairies", "platform": "fcm", "token": "dXo9bHjKQ0:APA91bEexampleexample03",
          "follow": ["commune:21231", "commune:21054"], "mute": ["agenda"], "registered_at": 1763870000}' | tr -d '\n' > residents.jsonl
        gzip -k residents.jsonl""",
    "docs/how-to/publish-from-your-backend.md": r"""
        printf '%s' '{"audience": ["commune:21231"], "notification": {"title": "Crue"}}' > event.json""",
    "docs/how-to/prove-reach.md": r"""
        wait_for_result crue-ouche-2026-11-23
        redis-cli -p {redis} --raw XRANGE tocsin:results - + | grep -m1 crue-ouche > result.json""",
    "docs/how-to/publish-cap-alerts.md": 'cp "$TREE/tests/fuzz/corpus/cap/alert" alert.xml',
    "docs/how-to/notify-browsers.md": r"""
        curl -s 'http://127.0.0.1:{control}/subscriptions?count=1' | jq -c '.[0]' > browser.json""",
    "docs/how-to/use-real-providers.md": r"""
        openssl req -x509 -newkey rsa:2048 -noenc -keyout k.pem -out c.pem -subj /CN=mairies -days 1
        openssl pkcs12 -export -legacy -in c.pem -inkey k.pem -out mairies.p12 -passout pass:""",
    "docs/how-to/when-communes-merge.md": r"printf 'from,to\n01018,01033\n' > movements.csv",
    "docs/how-to/investigate-a-refused-event.md": r"""
        tocsin publish --to commune:21231 --app mairie --title x --watch || true
        LETTER=$(redis-cli -p {redis} --raw XREVRANGE tocsin:dead-letters + - COUNT 1 | head -1)""",
}

# Before a block that begins with this line.
BEFORE_BLOCK = {
    ("docs/how-to/test-against-the-simulator.md", "curl -s -X POST http://127.0.0.1:8447/behaviour -d '{\"all\": {\"latency\": {\"fixed_ms\": 300}}}'"):
        'ENGINE_PID=$ENGINE',
    ("docs/how-to/investigate-a-refused-event.md", "tocsin dead-letters drop"): r"""
        until redis-cli -p {redis} --raw XREVRANGE tocsin:dead-letters + - COUNT 1 | head -1 | grep -qv "$LETTER"; do true; done
        LETTER=$(redis-cli -p {redis} --raw XREVRANGE tocsin:dead-letters + - COUNT 1 | head -1)""",
}

# Commands that fail where they are shown, and with what.
FAILING = {
    ("docs/tutorial/first-alert.md", "tocsin devices import residents.jsonl"): 1,  # One line is wrong on purpose.
    ("docs/tutorial/first-alert.md", "tocsin publish --to commune:21000"): 1,
    ("docs/how-to/run-in-production.md", "tocsin cancel crue-ouche-2026-11-23"): 1,  # It has ended here.
    ("docs/how-to/when-a-provider-calls-many-devices-gone.md", "tocsin devices restore"): 1,  # None was removed here.
}

# The shell of these pages finds nothing running: what they need they start.
FROM_NOTHING = ("README.md", "docs/tutorial/first-alert.md", "docs/how-to/test-against-the-simulator.md")

# The other pages, in an order in which each finds what it speaks of. Those that are not named come last.
ORDER = (
    "docs/how-to/publish-from-your-backend.md",
    "docs/how-to/report-what-phones-say.md",
    "docs/how-to/import-devices.md",
)

SYSTEMD = "needs a running systemd and the installed package; tools/test-package tries that"
MINUTES = "takes minutes: its flags are held against --help"
BENCH = "takes minutes: its flags are held against --help, and BenchTest runs scenarios at a small size"
BUILD = "builds or installs: this is what built the tree that is tested"

# Blocks that do not run, by page and a line of them.
NOT_RUN = {
    ("CONTRIBUTING.md", "cmake --preset release"): BUILD,
    ("CONTRIBUTING.md", "cmake --build --preset release --target event_test"): BUILD,
    ("CONTRIBUTING.md", "UPDATE_REFERENCE=1 build/release/bin/reference_page_test"): "rewrites pages of the tree; the same tests hold them",
    ("CONTRIBUTING.md", "cmake --preset fuzz && cmake --build --preset fuzz"): "needs another compiler; every test run has the targets with a driver",
    ("docs/explanation/performance.md", "bench/load/versus-h2load --servers spread --pin 1 --rounds 3 --pushes 200000"): MINUTES,
    ("docs/explanation/performance.md", "build/release/bin/tocsin bench town --threads 1"): BENCH,
    ("docs/explanation/performance.md", "bench/load/versus-h2load --servers batched,record,nginx"): MINUTES,
    ("docs/explanation/performance.md", "build/release/bin/tocsin bench paris --lock-step --threads 1"): BENCH,
    ("docs/explanation/performance.md", "bench/load/read-cost"): MINUTES,
    ("docs/explanation/performance.md", "build/release/bin/tocsin_micro_bench"): "takes minutes",
    ("docs/explanation/performance.md", "build/release/bin/tocsin_micro_bench --benchmark_filter=WebPush"): "takes minutes",
    ("docs/explanation/performance.md", "build/release/bin/tocsin bench town --webpush-share 1 --threads 1"): BENCH,
    ("docs/explanation/performance.md", "bench/load/beside-browsers --latency fixed:20"): MINUTES,
    ("docs/how-to/benchmark.md", "tocsin bench town --threads 1"): BENCH,
    ("docs/how-to/benchmark.md", "tocsin bench compare before.json after.json --noise 0.05"): BENCH,
    ("docs/how-to/benchmark.md", "tocsin bench village --threads 1 --assert 'event_p99_ms<2000' --assert 'possible_duplicates==0'"): BENCH,
    ("docs/how-to/benchmark.md", "apt-get install nghttp2-client nginx"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/read-cost"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/stages town --threads 1"): MINUTES,
    ("docs/explanation/performance.md", "bench/load/stages village --threads 1"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/plan --share 0.015"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/open-pages"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/soak --devices 200000 --share 0.005"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/soak --minutes 10"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/mistakes --devices 5000 --only override,proxy-404"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/outage refused"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/receipts --devices 50000"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/receipts --burst --rate 9000"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/fairness --devices 200000 --alerts 5"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/dedicated-apps --apps 20 --devices 100"): MINUTES,
    ("docs/how-to/benchmark.md", "bench/load/beside-browsers --latency fixed:20 --rate 0"): MINUTES,
    ("docs/how-to/mount-secrets.md", "install -d -o root -g root -m 700 /etc/tocsin/keys"): "changes /etc; tools/test-package installs",
    ("docs/how-to/mount-secrets.md", "  tocsin check-config --config /etc/tocsin/tocsin.toml --online"): SYSTEMD,
    ("docs/how-to/prove-reach.md", "chromium --headless --no-pdf-header-footer --print-to-pdf=crue.pdf crue.html"): "needs Chromium, which only tools/test browser installs",
    ("docs/how-to/prove-reach.md", "systemctl enable --now tocsin-canary.timer"): SYSTEMD,
    ("docs/how-to/run-in-production.md", "(cd build/release && cpack -G DEB)"): "tools/test-package does it",
    ("docs/how-to/run-in-production.md", "systemctl start tocsin"): SYSTEMD,
    ("docs/how-to/use-real-providers.md", "systemctl reload tocsin      # SIGHUP"): SYSTEMD,
    ("docs/tutorial/first-alert.md", "cmake --build --preset release --target tocsin"): BUILD,
}

# Blocks without a language that are not what the block of shell before them prints here, by page and a line of them.
NOT_SHOWN = {
    ("docs/explanation/architecture.md", "          parse     resolve    (Redis     claims,        reads     pushes  order,   request    HTTP/2     │"): "a drawing",
    ("docs/explanation/architecture.md", "engine/      knows no provider by name, but for the list in platform/"): "a list of folders",
    ("docs/how-to/benchmark.md", "pushes_per_second                 25 297"): BENCH,
    ("docs/tutorial/first-alert.md", "tocsin 0.1.0"): "of the block that builds",
    ("docs/how-to/import-devices.md", "20 000 added, 0 replaced, 0 removed, 0 refused"): "of a larger file",
    ("docs/how-to/investigate-a-refused-event.md", "1795422043537-0  unknown_app: apps: no app \"mairie\" is configured; did you mean \"mairies\"?"): "of four letters, of which the test makes one",
    ("docs/how-to/investigate-a-refused-event.md", "tocsin: an event with the id \"first-alert\" was accepted before: this one is not sent again"): "MainJobTest holds it",
    ("docs/how-to/notify-browsers.md", "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYcP7DkM"): "a key made at random",
    ("docs/how-to/prove-reach.md", "tocsin: crue.html: communes.21231.accepted: the certificate says \"57 289\", Redis says \"57 288\""): "of a forged certificate; ProofTest forges one",
    ("docs/how-to/prove-reach.md", "crue.html: the certificate of crue-ouche-2026-11-23 that was made as of 2026-11-23T19:02:11Z, unchanged. The event itself is no longer kept."): "of an event of long ago; ProofTest holds it",
    ("docs/how-to/publish-cap-alerts.md", "alert.xml: line 22: area is drawn as a polygon or circle and names no commune: add a geocode INSEE, SIREN or DEPARTMENT"): "CapEventTest holds it",
    ("docs/how-to/run-in-production.md", "maxmemory-policy noeviction"): "a part of redis.conf",
    ("docs/how-to/run-in-production.md", "ACL SETUSER tocsin on >secret resetchannels -@all ~tocsin:* \\"): "RestrictedUserTest runs with it",
    ("docs/how-to/test-against-the-simulator.md", "possible duplicates   10 855"): "of 20,000 devices",
    ("docs/how-to/use-real-providers.md", "ok   mairies/fcm access token https://oauth2.googleapis.com/token"): "of the real providers",
    ("docs/how-to/use-real-providers.md", "status       200"): "the tutorial shows the same, and is held to it",
    ("docs/how-to/use-real-providers.md", "mairies/fcm     5 940          0            4  paused: IAM_PERMISSION_DENIED"): "of a paused lane",
    ("docs/how-to/when-a-provider-calls-many-devices-gone.md", "5 000 restored, 0 registered by now, 0 unregistered by their app"): "of 5,000 devices",
    ("docs/how-to/when-a-provider-calls-many-devices-gone.md", "    the provider is right:  tocsin devices prune --app mairies --platform apns --remove"): "of 5,000 devices; RemovalBrakeTest holds it",
    ("docs/how-to/when-communes-merge.md", "total                          41     0"): "of 41 followers; MergedCommunesTest holds it",
    ("docs/how-to/when-communes-merge.md", "total               51 011"): "of 51,011 devices; MergedCommunesTest holds it",
    ("docs/reference/provider-payloads.md", "payload_too_large: dijon/apns: the APNs payload for app dijon is 5041 bytes, the limit is 4096"): "a refusal",
}

# Languages of blocks. A block of shell says `sh`; in another spelling it would not be seen.
LANGUAGES = ("", "sh", "json", "toml", "yaml", "ini", "python", "php", "js", "html", "swift", "kotlin", "cpp")

# What no test may do to the machine that it runs on: a line that begins so runs only where NOT_RUN keeps it from that.
CHANGES_THE_MACHINE = r"(sudo|apt|apt-get|systemctl|systemd-run|mount|install|cmake|ctest|cpack|tools/|\(cd )"

# JSON that a command prints: the page, and how the block begins. Other JSON is a document, which schema tests hold.
SHOWN_JSON = (
    ("docs/tutorial/first-alert.md", '{"ready":true'),
    ("docs/how-to/import-devices.md", '{"op":"register","app":"mairies","platform":"fcm","token":"dXo9…le03"'),
)

# Commands in prose that cannot be asked for, and why.
PROSE_NOT_ASKED = {
    "systemctl edit tocsin": SYSTEMD,
    "systemctl restart tocsin": SYSTEMD,
    "systemctl reload tocsin": SYSTEMD,
    "systemd-analyze security tocsin": SYSTEMD,
    "mount -t tracefs tracefs /sys/kernel/tracing": "needs root, and changes the machine",
    "redis-cli --cluster reshard": "asks questions; ClusterJobTest moves slots",
    "redis-cli -p 26379 SENTINEL ckquorum mymaster": "needs Sentinels; FailoverJobTest has them",
    "redis-cli -h node CLUSTER INFO": "needs a node of that name",
    "redis-cli XLEN tocsin:events": "a question to Redis alone",
    "kill -9": "a part of a sentence",
    "chmod 600": "a part of a sentence",
}
