"""Seeded text with credentials in it, and text that only looks so. The forms are those of the providers' own
documentation; nothing here knows the rules."""

import base64
import hashlib
import json
import random
import string
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

LETTERS = string.ascii_letters
ALNUM = LETTERS + string.digits
URL = ALNUM + "-_"
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
BASE32 = string.ascii_uppercase + "234567"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


@dataclass(frozen=True)
class Document:
    text: str
    secrets: list[tuple[str, int, int]]
    """Kind, start, end."""


class Maker:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def of(self, alphabet: str, low: int, high: int = 0) -> str:
        return "".join(self.rng.choices(alphabet, k=self.rng.randint(low, high or low)))

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def b64(self, size: int) -> str:
        return base64.b64encode(self.rng.randbytes(size)).decode()

    def url64(self, size: int) -> str:
        return base64.urlsafe_b64encode(self.rng.randbytes(size)).decode().rstrip("=")

    def crc(self, prefix: str) -> str:
        body = self.of(ALNUM, 30)
        value, out = zlib.crc32(body.encode()), ""
        while value:
            value, digit = divmod(value, 62)
            out = BASE62[digit] + out
        return prefix + body + out.rjust(6, "0")

    def jwt(self) -> str:
        def part(value: dict) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

        claims = {"sub": self.of(HEX, 12), "iat": self.rng.randint(10**9, 2 * 10**9), "aud": "shop"}
        return f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part(claims)}.{self.url64(64)}"

    def pem(self, label: str) -> str:
        body = self.b64(420)
        lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
        return f"-----BEGIN {label}PRIVATE KEY-----\n{lines}\n-----END {label}PRIVATE KEY-----"

    def password(self) -> str:
        words = [
            "lantern",
            "copper",
            "violin",
            "Orbit",
            "maple",
            "Canyon",
            "pepper",
            "Siren",
            "walnut",
            "river",
        ]
        word = self.rng.choice(words)
        form = self.rng.randrange(4)
        if form == 0:
            return f"{word.title()}{self.rng.randint(10, 9999)}{self.rng.choice('!#$%?*')}"
        if form == 1:
            return self.of(ALNUM, 9, 16) + self.of("!#%*+-=?@^", 1) + self.of(ALNUM, 3)
        if form == 2:
            return f"{word}{self.rng.choice('-_.')}{self.rng.choice(words)}{self.rng.randint(10, 999)}"
        return self.of(ALNUM, 10, 20) + "7a"


def tokens(m: Maker) -> dict[str, str]:
    """Credentials that their own form gives away."""
    o = m.of
    snowflake = base64.b64encode(str(m.rng.randint(10**17, 10**18)).encode()).decode().rstrip("=")
    return {
        "aws": "AKIA" + m.rng.choice("IJQRSTUVWXYZ") + o(BASE32, 15),
        "aws-sts": "ASIA" + m.rng.choice("IJQRSTUVWXYZ") + o(BASE32, 15),
        "google": "AIzaSy" + o(URL, 33),
        "google-oauth": "GOCSPX-" + o(URL, 28),
        "google-access": "ya29." + o(URL, 120, 200),
        "azure-ad": o(ALNUM, 3) + "8Q~" + o(ALNUM + "_.-", 34),
        "github": m.crc("ghp_"),
        "github-app": m.crc("ghs_"),
        "github-pat": "github_pat_" + o(ALNUM, 22) + "_" + o(ALNUM, 59),
        "gitlab": "glpat-" + o(URL, 20),
        "gitlab-deploy": "gldt-" + o(URL, 20),
        "npm": m.crc("npm_"),
        "pypi": "pypi-"
        + base64.urlsafe_b64encode(b"\x02\x01\x08pypi.org\x02$" + m.rng.randbytes(100)).decode().rstrip("="),
        "crates": "cio" + o(ALNUM, 32),
        "rubygems": "rubygems_" + o(HEX, 48),
        "nuget": "oy2" + o(string.ascii_lowercase + "234567", 43),
        "docker": "dckr_pat_" + o(URL, 27),
        "slack-bot": f"xoxb-{o(string.digits, 12)}-{o(string.digits, 13)}-{o(ALNUM, 24)}",
        "slack-user": f"xoxp-{o(string.digits, 12)}-{o(string.digits, 13)}-{o(HEX, 32)}",
        "slack-hook": f"https://hooks.slack.com/services/T{o(UPPER, 10)}/B{o(UPPER, 10)}/{o(ALNUM, 24)}",
        "discord": f"{snowflake}.G{o(URL, 5)}.{o(URL, 37)}x",
        "telegram": f"{m.rng.randint(10**9, 10**10 - 1)}:AA{o(URL, 33)}",
        "stripe": "sk_live_51" + o(ALNUM, 97),
        "stripe-short": "sk_live_" + o(ALNUM, 24),
        "openai": "sk-" + o(ALNUM, 20) + "T3BlbkFJ" + o(ALNUM, 20),
        "openai-proj": "sk-proj-" + o(URL, 74) + "T3BlbkFJ" + o(URL, 74),
        "anthropic": "sk-ant-api03-" + o(URL, 93) + "AA",
        "huggingface": "hf_" + o(LETTERS, 34),
        "groq": "gsk_" + o(ALNUM, 52),
        "replicate": "r8_" + o(ALNUM, 37),
        "perplexity": "pplx-" + o(ALNUM, 48),
        "xai": "xai-" + o(ALNUM, 80),
        "langsmith": f"lsv2_pt_{o(HEX, 32)}_{o(HEX, 10)}",
        "pinecone": f"pcsk_{o(ALNUM, 5)}_{o(ALNUM, 63)}",
        "databricks": "dapi" + o(HEX, 32),
        "digitalocean": "dop_v1_" + o(HEX, 64),
        "sendgrid": f"SG.{o(URL, 22)}.{o(URL, 43)}",
        "mailchimp": f"{o(HEX, 32)}-us{m.rng.randint(1, 21)}",
        "twilio": "SK" + o(HEX, 32),
        "shopify": "shpat_" + o(HEX, 32),
        "square": "sq0csp-" + o(URL, 43),
        "newrelic": "NRAK-" + o(UPPER, 27),
        "grafana": f"glsa_{o(ALNUM, 32)}_{o(HEX, 8)}",
        "vault": "hvs.CAESI" + o(URL, 90),
        "terraform": f"{o(ALNUM, 14)}.atlasv1.{o(ALNUM, 67)}",
        "doppler": "dp.pt." + o(ALNUM, 43),
        "linear": "lin_api_" + o(ALNUM, 40),
        "notion": "ntn_" + o(string.digits, 11) + o(ALNUM, 35),
        "figma": "figd_" + o(URL, 40),
        "airtable": f"pat{o(ALNUM, 14)}.{o(HEX, 64)}",
        "postman": f"PMAK-{o(HEX, 24)}-{o(HEX, 34)}",
        "sentry": "sntryu_" + o(HEX, 64),
        "planetscale": "pscale_tkn_" + o(URL, 43),
        "supabase": "sbp_" + o(HEX, 40),
        "fly": "fo1_" + o(URL, 43),
        "heroku": "HRKU-AA" + o(URL, 58),
        "atlassian": "ATATT3xFfGF0" + o(URL, 171) + "=" + o(UPPER, 8),
        "tailscale": f"tskey-auth-{o(ALNUM, 12)}CNTRL-{o(ALNUM, 32)}",
        "sonarqube": "sqp_" + o(HEX, 40),
        "jwt": m.jwt(),
    }


def in_context(m: Maker) -> dict[str, tuple[str, str]]:
    """Credentials that only what stands around them gives away: text before, credential, with `{}` for it."""
    o, secret = m.of, m.password()
    user = m.rng.choice(["app", "svc_shop", "casey", "reader"])
    host = m.rng.choice(["db.brightlamp.test:5432", "10.2.0.14:6379", "mq-1.internal:5672"])
    login = f"{user}:{secret}"
    return {
        "aws-secret": ("AWS_SECRET_ACCESS_KEY={}", o(ALNUM + "+/", 40)),
        "azure-storage": ("AccountName=shop;AccountKey={};EndpointSuffix=core.windows.net", m.b64(64)),
        "connection": (
            m.rng.choice(["postgresql", "mysql", "redis", "amqp", "mongodb+srv"])
            + f"://{user}:{{}}@{host}/main",
            o(ALNUM + "-_.", 10, 20) + "9",
        ),
        "datadog": ("DD_API_KEY: {}", o(HEX, 32)),
        "cloudflare": ('cloudflare_api_token = "{}"', o(URL, 39) + "k"),
        "mistral": ('MISTRAL_API_KEY="{}"', o(ALNUM, 32)),
        "cohere": ("export COHERE_API_KEY={}", o(ALNUM, 40)),
        "wandb": ("wandb login key: {}", o(HEX, 40)),
        "heroku-uuid": ("HEROKU_API_KEY={}", m.uuid()),
        "password-env": (m.rng.choice(["DB_PASSWORD={}", "SMTP_PASS={}", "export PGPASSWORD='{}'"]), secret),
        "password-yaml": ("  password: {}", secret),
        "password-json": ('{{"user": "app", "password": "{}"}}', secret),
        "password-code": (
            m.rng.choice(
                [
                    'db.connect(user="app", password="{}")',
                    "const dbPassword = '{}';",
                    'cfg.setPassword("{}");',
                ]
            ),
            secret,
        ),
        "password-chat": (
            m.rng.choice(
                ["my password is {} and it worked yesterday", "the wifi password is {}", "Passwort: {}"]
            ),
            secret,
        ),
        "generic-key": (
            m.rng.choice(['api_key = "{}"', '"clientSecret": "{}",', "X-Api-Key: {}", "auth_token: {}"]),
            o(ALNUM, 24, 40) + "4x",
        ),
        "generic-hex": (m.rng.choice(["api_secret={}", 'secret_key: "{}"']), o(HEX, 32, 64)),
        "bearer": ("Authorization: Bearer {}", o(URL, 40, 60) + "3"),
        "basic": ("Authorization: Basic {}", base64.b64encode(login.encode()).decode()),
        "cookie": ("Cookie: theme=dark; sessionid={}; lang=en", o(ALNUM, 32)),
        "curl": (f"curl -u {user}:{{}} https://api.brightlamp.test/v1/orders", secret.replace("'", "x")),
        "url": ("GET https://api.brightlamp.test/v1/orders?access_token={}&page=2", o(ALNUM, 32) + "7b"),
        "wireguard": ("PrivateKey = {}", m.b64(32)),
        "bcrypt": ("casey:{}", "$2y$10$" + o(ALNUM + "./", 53)),
        "rsa": ("{}", m.pem("RSA ")),
        "pkcs8": ("key:\n{}", m.pem("")),
        "openssh": ("{}", m.pem("OPENSSH ")),
        "otp": ("{}", f"otpauth://totp/Shop:casey?secret={o(BASE32, 32)}&issuer=Shop"),
        "netrc": ("machine api.brightlamp.test login casey password {}", secret),
    }


CARRIERS = [
    "{name}={}",
    'export {name}="{}"',
    "{low}: {}",
    '{{"{low}": "{}", "region": "eu-west-1"}}',
    '{{\\"{low}\\": \\"{}\\"}}',
    "const {low} = '{}';",
    'client = Client("{}", timeout=30)',
    'String {low} = "{}";',
    '{low} := "{}" // set by ops',
    'variable "{low}" {{ default = "{}" }}',
    "2024-06-11T09:14:02Z INFO worker started with {} (pid 4411)",
    "Hi, the integration fails with {}, can you see why?",
    "Use `{}` for the staging account.",
    "| staging | {} | ops |",
    "curl -H 'X-Token: {}' https://api.brightlamp.test/v1",
    "https://api.brightlamp.test/cb?code=7&t={}&n=1",
    "ENV {name} {}",
    "<{low}>{}</{low}>",
    "first line\\n{}\\nlast line",
    "{}",
]
NAMES = ["SERVICE_KEY", "API_TOKEN", "CREDENTIAL", "INTEGRATION_VALUE", "DEPLOY_KEY", "SECRET"]
CODE = [
    "import os\npassword = os.environ['DB_PASSWORD']\n",
    "api_key = settings.api_key or get_secret('shop/api-key')\n",
    "def check_password(user, password: str) -> bool:\n    return verify(password, user.password_hash)\n",
    "const token = req.headers.authorization?.split(' ')[1];\n",
    "secretName: shop-credentials\nsecretKeyRef:\n  key: password\n",
    "password: ${DB_PASSWORD}\ntoken: ${{ secrets.DEPLOY_TOKEN }}\n",
    "API_KEY=your_api_key_here\nSECRET_KEY=changeme\nTOKEN=<token>\n",
    "OPENAI_API_KEY=sk-...\nANTHROPIC_API_KEY=sk-ant-xxxxxxxxxxxxxxxxxxxxxxxx\n",
    "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    "The password must have at least 12 characters, one digit and one sign.\n",
    "I forgot my password, how do I reset it? The token in the mail has expired.\n",
    "postgres://user:password@localhost:5432/app\n",
    'tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")\nmax_tokens=4096\n',
    "Authorization: Bearer <your token>\n",
    '<input type="password" name="password" autocomplete="current-password">\n',
    "for(var a=0,b=c.length;a<b;a++){var d=c[a];if(d.key===e)return d}function f(t){return t?t.id:null}\n",
]


def distractors(m: Maker) -> list[str]:
    """Lines without a credential."""
    digest = hashlib.sha256(m.rng.randbytes(16)).hexdigest()
    return [
        f"commit {digest[:40]}\n",
        f"sha256:{digest}\n",
        f'"integrity": "sha512-{m.b64(64)}",\n',
        f'"resolved": "https://registry.brightlamp.test/lamp/-/lamp-1.2.3.tgz#{digest[:40]}",\n',
        f"    --hash=sha256:{digest} \\\n",
        f"request_id={m.uuid()} status=200\n",
        f"trace {m.of(HEX, 32)} span {m.of(HEX, 16)}\n",
        f'ETag: W/"{m.of(HEX, 32)}"\n',
        f"image: shop/app@sha256:{digest}\n",
        f'<img src="data:image/png;base64,{m.b64(180)}">\n',
        f"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{m.b64(200)} casey@lamp\n",
        f"-----BEGIN CERTIFICATE-----\n{m.b64(48)}\n{m.b64(48)}\n-----END CERTIFICATE-----\n",
        f"github.com/brightlamp/shop v1.2.3 h1:{m.b64(32)}\n",
        f"order {m.of(UPPER, 10)} paid, invoice {m.rng.randint(10**7, 10**8)}\n",
        f"PublicKey = {m.b64(32)}\n",
        f"pk_live_{m.of(ALNUM, 24)}\n",
        m.rng.choice(CODE),
        m.rng.choice(CODE),
        m.rng.choice(CODE),
    ]


def documents(count: int, seed: int) -> Iterator[Document]:
    """Two in three hold one credential; all hold look-alikes."""
    m = Maker(seed)
    for number in range(count):
        lines = m.rng.sample(distractors(m), 5)
        if number % 3 == 2:
            yield Document("".join(lines), [])
            continue
        if number % 2:
            kind, value = m.rng.choice(sorted(tokens(m).items()))
            name = m.rng.choice(NAMES)
            carrier = m.rng.choice(CARRIERS).replace("{name}", name).replace("{low}", name.lower())
        else:
            kind, (carrier, value) = m.rng.choice(sorted(in_context(m).items()))
        carrier = carrier.replace("{{", "{").replace("}}", "}")
        before, after = carrier.split("{}", 1)
        at = m.rng.randrange(len(lines) + 1)
        head = "".join(lines[:at]) + before
        text = head + value + after + m.rng.choice(["\n", "\r\n"]) + "".join(lines[at:])
        yield Document(text, [(kind, len(head), len(head) + len(value))])
