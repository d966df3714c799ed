"""Ten public applications, what is planted in each, and how each says that it still works."""

from __future__ import annotations

from typing import NamedTuple

from planting import Plant


class Application(NamedTuple):
    """One application in one language or stack."""

    name: str
    repository: str  # owner/name
    tools: tuple[str, ...]  # programs that the checks need
    plants: tuple[Plant, ...]
    checks: tuple[str, ...]  # shell commands that must end as they did before the migration
    proof: str = ""  # a shell command whose output must hold the values named in ``proves``
    proves: tuple[str, ...] = ()
    setup: str = ""  # what fetches the application's dependencies


PYTHON = Application(
    "python",
    "pallets/flask",
    ("python3",),
    (
        Plant(
            "examples/tutorial/flaskr/__init__.py",
            '        SECRET_KEY="{{hex_session}}",\n'
            '        DATABASE_URL="postgresql://shop:{{password_db}}@db.example.org:5432/shop",\n',
            r'SECRET_KEY="dev"',
            True,
        ),
        Plant(
            "examples/tutorial/flaskr/mail.py",
            '"""Sends mail."""\n\nfrom __future__ import annotations\n\nfrom dataclasses import dataclass\n\n\n'
            "@dataclass\nclass Mailer:\n    host: str = 'smtp.example.org'\n    password: str = '{{odd_smtp}}'\n\n\n"
            'def headers(user, api_key="{{sendgrid_mail}}"):\n'
            '    return {"Authorization": f"Bearer {api_key}", "X-Token": f"{user} {{slack_bot}}"}\n\n\n'
            'SIGNING_KEY = b"{{hex_signing}}"\n'
            'CONNECTION = ("amqp://shop:{{password_queue}}"\n              "@queue.example.org/%s" % "mail")\n',
        ),
        Plant("examples/tutorial/tests/conftest.py", 'STRIPE_KEY = "{{stripe_test}}"\n', r"^import pytest"),
        Plant("examples/tutorial/config.ini", "[database]\nuser = shop\npassword = {{password_db}}\n"),
        Plant("examples/tutorial/.env", "STRIPE_KEY={{stripe_test}}\nDB_PASSWORD='{{password_db}}'\n"),
        Plant(
            ".github/workflows/deploy.yaml",
            "on: push\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    env:\n      SENDGRID_API_KEY: {{sendgrid_mail}}\n"
            '    steps:\n      - run: |\n          curl -H "Authorization: Bearer {{slack_bot}}" https://slack.example.org/\n',
        ),
    ),
    (
        "cd examples/tutorial && PYTHONPATH=../../src:. python3 -m pytest -q -p no:cacheprovider tests",
        "python3 -m compileall -q examples",
    ),
    'cd examples/tutorial && PYTHONPATH=../../src:. python3 -c "import flaskr, flaskr.mail as m; c = flaskr.create_app().config; '
    "print(c['SECRET_KEY'], c['DATABASE_URL'], m.Mailer().password, m.headers('a'), m.SIGNING_KEY, m.CONNECTION)\"",
    ("hex_session", "password_db", "odd_smtp", "sendgrid_mail", "slack_bot", "hex_signing", "password_queue"),
)

EXPRESS = Application(
    "javascript",
    "expressjs/express",
    ("node", "npm"),
    (
        Plant("examples/auth/index.js", "  secret: '{{hex_session}}'\n", r"secret: 'shhhh", True),
        Plant(
            "examples/auth/index.js",
            "var stripe = { apiKey: '{{stripe_shop}}', url: `https://shop:{{password_shop}}@api.example.org/v1` }\n"
            'const dbPassword = "{{odd_db}}", token = "Bearer " + "{{slack_bot}}";\n'
            "module.exports.used = [stripe.apiKey, stripe.url, dbPassword, token];\n",
            r"^var app = module.exports",
        ),
        Plant("examples/session/redis.js", "  secret: '{{hex_session}}'\n", r"secret: 'keyboard cat'", True),
        Plant("config/production.json", '{\n  "db": { "password": "{{odd_db}}" }\n}\n'),
        Plant(".npmrc", "//registry.example.org/:_authToken={{hex_npm}}\n"),
        Plant(
            "examples/esm.mjs",
            "import path from 'node:path'\n\nexport const apiKey = '{{stripe_shop}}'\nexport default path\n",
        ),
    ),
    (
        "npx --no-install mocha --require test/support/env --reporter dot test/acceptance/",
        "for file in $(git ls-files '*.js' '*.mjs'); do node --check $file || exit 1; done",
    ),
    "node -e \"console.log(require('./examples/auth').used)\"; node -e \"import('./examples/esm.mjs').then(m => console.log(m.apiKey))\"",
    ("stripe_shop", "password_shop", "odd_db", "slack_bot"),
    "npm install --ignore-scripts --no-audit --no-fund --no-package-lock",
)

TYPESCRIPT = Application(
    "typescript",
    "microsoft/TypeScript-Node-Starter",
    ("node", "npm"),
    (
        Plant(
            "src/controllers/contact.ts",
            '        pass: "{{sendgrid_mail}}"\n',
            r"pass: process.env.SENDGRID_PASSWORD",
            True,
        ),
        Plant(
            "src/config/shop.ts",
            'import type { Request } from "express";\n\n'
            "export enum Level { LOW = 1 }\n\n"
            "export class Shop {\n    private readonly apiKey: string = '{{stripe_shop}}';\n"
            '    static password = "{{odd_db}}";\n'
            '    constructor(public token = "{{slack_bot}}") {}\n'
            "    url(req: Request): string { return `https://shop:{{password_shop}}@${req.hostname}/`; }\n"
            "    all(): string[] { return [this.apiKey, Shop.password, this.token]; }\n}\n\n"
            'const options: Record<string, string | number> = { "client-secret": "{{hex_oauth}}", port: 1 };\n'
            "export default options;\n",
        ),
        Plant(
            ".env", 'SESSION_SECRET="{{hex_session}}"\nMONGODB_URI=mongodb://shop:{{password_db}}@db.example.org/shop\n'
        ),
    ),
    ("npx --no-install tsc --noEmit -p .", "npx --no-install eslint src/config src/controllers --ext .ts --quiet"),
    "npx --no-install ts-node --transpile-only -e \"import o, { Shop } from './src/config/shop'; console.log(new Shop().all(), "
    "new Shop().url({ hostname: 'h' } as any), o)\"",
    ("stripe_shop", "odd_db", "slack_bot", "password_shop", "hex_oauth"),
    "npm ci --ignore-scripts --no-audit --no-fund",
)

GO = Application(
    "go",
    "gothinkster/golang-gin-realworld-example-app",
    ("go",),
    (
        Plant("common/utils.go", 'const NBSecretPassword = "{{odd_jwt}}"\n', r"^const NBSecretPassword", True),
        Plant(
            "common/shop.go",
            'package common\n\nimport "fmt"\n\n'
            'const (\n\tshopName  = "shop"\n\tshopToken = `{{slack_bot}}`\n\tretries   = 3\n)\n\n'
            'var stripe = struct{ Key, URL string }{Key: "{{stripe_shop}}", URL: "https://shop:{{password_shop}}@api.example.org"}\n\n'
            '// Shop gives what is used.\nfunc Shop() string {\n\tpassword := "{{odd_db}}"\n'
            "\treturn fmt.Sprint(shopName, shopToken, retries, stripe, password, NBSecretPassword)\n}\n",
        ),
        Plant(
            "common/shop_test.go",
            'package common\n\nimport (\n\t"fmt"\n\t"testing"\n)\n\n'
            "func TestShop(t *testing.T) {\n\tfmt.Println(Shop())\n}\n",
        ),
        Plant("deploy/app.yaml", "database:\n  password: {{odd_db}}\n  token: {{slack_bot}}\n"),
    ),
    ("go vet ./common/ ./users/ ./articles/", "go build ./...", "go test ./common/ ./users/"),
    "go test -count=1 -v -run TestShop ./common/",
    ("odd_jwt", "slack_bot", "stripe_shop", "password_shop", "odd_db"),
)

JAVA = Application(
    "java",
    "spring-projects/spring-petclinic",
    ("javac", "mvn"),
    (
        Plant(
            "src/main/resources/application-mysql.properties",
            "spring.datasource.password={{odd_db}}\n",
            r"^spring.datasource.password",
            True,
        ),
        Plant(
            "src/main/java/org/springframework/samples/petclinic/system/Shop.java",
            "package org.springframework.samples.petclinic.system;\n\nimport java.util.Map;\n\n"
            "/** What a shop needs. */\npublic final class Shop {\n\n"
            '\tprivate static final String API_KEY = "{{stripe_shop}}";\n\n'
            '\tstatic final Map<String, String> HEADERS = Map.of("Authorization", "Bearer {{slack_bot}}");\n\n'
            "\tprivate Shop() {\n\t}\n\n\tpublic static void main(String[] args) {\n"
            '\t\tString password = "{{odd_db}}";\n'
            '\t\tSystem.out.println(API_KEY + HEADERS + password + "jdbc:mysql://shop:{{password_shop}}@db/shop");\n'
            "\t}\n\n}\n",
        ),
        Plant("src/main/resources/application.yml", 'spring:\n  mail:\n    password: "{{sendgrid_mail}}"\n'),
        Plant("docker-compose.yml", "      - MYSQL_ROOT_PASSWORD={{odd_db}}\n", r"MYSQL_ROOT_PASSWORD=", True),
        Plant("k8s/db.yml", '  password: "{{password_k8s}}"\n', r'^  password: "pass"', True),
    ),
    (
        "find src/main -name Shop.java | xargs javac -d target/shop -Xlint:all -Werror",
        "mvn -q -o -B -Dcheckstyle.skip -Dtest='ValidatorTests,PetValidatorTests' test",
    ),
    "java -cp target/shop org.springframework.samples.petclinic.system.Shop",
    ("stripe_shop", "slack_bot", "odd_db", "password_shop"),
    "mvn -q -B -Dcheckstyle.skip -Dtest='ValidatorTests,PetValidatorTests' test",
)

RUBY = Application(
    "ruby",
    "sinatra/sinatra",
    ("ruby",),
    (
        Plant("examples/chat.rb", "set :session_secret, '{{hex_session}}'\n", r"^set :server, :puma"),
        Plant(
            "lib/sinatra/shop.rb",
            "# frozen_string_literal: true\n\nmodule Sinatra\n  # What a shop needs.\n  module Shop\n"
            "    API_KEY = '{{stripe_shop}}'.freeze\n    OPTIONS = { password: \"{{odd_db}}\", :token => %q({{slack_bot}}) }.freeze\n"
            "    def self.url(host: 'db', pass: '{{password_shop}}')\n      \"postgres://shop:#{pass}@#{host}/\"\n    end\n\n"
            "    def self.letter\n      <<~TEXT\n        Authorization: Bearer {{sendgrid_mail}}\n      TEXT\n    end\n  end\nend\n",
        ),
        Plant("config/database.yml", "production:\n  adapter: postgresql\n  password: {{odd_db}}\n"),
    ),
    (
        "for file in $(git ls-files '*.rb'); do ruby -c $file > /dev/null || exit 1; done",
        "ruby -Ilib -e 'require \"./lib/sinatra/shop\"'",
    ),
    "ruby -Ilib -e 'require \"./lib/sinatra/shop\"; s = Sinatra::Shop; puts s::API_KEY, s::OPTIONS, s.url, s.letter'",
    ("stripe_shop", "odd_db", "slack_bot", "password_shop", "sendgrid_mail"),
)

PHP = Application(
    "php",
    "slimphp/Slim-Skeleton",
    ("php",),
    (
        Plant(
            "app/settings.php",
            "                'db' => ['password' => '{{odd_db}}', 'token' => \"{{slack_bot}}\"],\n",
            r"'logErrorDetails'",
        ),
        Plant(
            "app/shop.php",
            "<?php\n\ndeclare(strict_types=1);\n\nuse DateTime;\n\ndefine('SHOP_TOKEN', '{{slack_bot}}');\n"
            "$apiKey = '{{stripe_shop}}';\n$password = \"{{odd_db}}\";\n\n"
            "return ['key' => $apiKey, 'password' => $password, 'dsn' => 'mysql://shop:{{password_shop}}@db/shop', SHOP_TOKEN];\n",
        ),
        Plant("docker-compose.yml", '            DB_PASSWORD: "{{odd_db}}"\n', r"docker: \"true\""),
    ),
    ("for file in $(git ls-files '*.php'); do php -l $file > /dev/null || exit 1; done",),
    "php -r 'print_r(require \"app/shop.php\");'",
    ("stripe_shop", "odd_db", "password_shop", "slack_bot"),
)

RUST = Application(
    "rust",
    "tokio-rs/mini-redis",
    ("cargo",),
    (
        Plant(
            "examples/shop.rs",
            "//! What a shop needs.\n\nuse std::collections::HashMap;\n\n"
            "struct Config {\n    password: String,\n    token: &'static str,\n}\n\n"
            'fn main() {\n    let api_key = "{{stripe_shop}}";\n'
            '    let config = Config { password: "{{odd_db}}".to_string(), token: "{{slack_bot}}" };\n'
            '    let url = format!("https://{}:{}@{}", "shop", "{{password_shop}}", "db");\n'
            "    let mut headers: HashMap<&str, String> = HashMap::new();\n"
            '    headers.insert("x-key", String::from("{{sendgrid_mail}}"));\n'
            '    println!("{api_key} {} {} {url} {headers:?}", config.password, config.token);\n}\n',
        ),
        Plant("config.toml", '[database]\npassword = "{{odd_db}}"\n'),
    ),
    ("cargo check --examples --offline", "cargo test --offline --lib --tests", "cargo fmt --check"),
    "cargo run -q --offline --example shop",
    ("stripe_shop", "odd_db", "slack_bot", "password_shop", "sendgrid_mail"),
    "cargo fetch",
)

SHELL = Application(
    "shell",
    "acmesh-official/acme.sh",
    ("sh", "bash"),
    (
        Plant("notify/slack.sh", 'SLACK_TOKEN="{{slack_bot}}"\n', r"^#SLACK_USERNAME"),
        Plant(
            "deploy/shop.sh",
            "#!/usr/bin/env bash\nset -euo pipefail\nexport API_KEY='{{stripe_shop}}'\n"
            'DB_PASSWORD="{{password_shop}}"\n'
            'show() { printf "%s\\n" "$@"; }\n'
            "show -u shop:{{password_curl}} -H \"Authorization: Bearer {{sendgrid_mail}}\" --password='{{odd_db}}'\n"
            'cat <<EOF\n[client]\npassword={{hex_client}}\nEOF\nshow "$API_KEY" "$DB_PASSWORD"\n',
        ),
        Plant("deploy/shop.env", "export DB_PASSWORD='{{password_shop}}'\n"),
    ),
    ("for file in $(git ls-files '*.sh'); do bash -n $file || exit 1; done", "sh ./acme.sh --version"),
    "bash deploy/shop.sh",
    ("stripe_shop", "password_shop", "password_curl", "sendgrid_mail", "odd_db", "hex_client"),
)

CONTAINERS = Application(
    "containers",
    "dockersamples/example-voting-app",
    ("python3", "node"),
    (
        Plant("docker-compose.yml", '      POSTGRES_PASSWORD: "{{odd_db}}"\n', r"POSTGRES_PASSWORD"),
        Plant(
            "result/server.js",
            "  connectionString: 'postgres://postgres:{{password_db}}@db/postgres'\n",
            r"connectionString",
            True,
        ),
        Plant(
            "worker/Program.cs",
            '                var pgsql = OpenDbConnection("Server=db;Username=postgres;Password={{password_db}};");\n',
            r"var pgsql = OpenDbConnection",
            True,
        ),
        Plant(
            "worker/Program.cs",
            '        private const string ApiKey = "{{stripe_shop}}";\n',
            r"public static int Main",
            False,
        ),
        Plant("k8s-specifications/db-deployment.yaml", "          value: {{password_db}}\n", r"POSTGRES_PASSWORD"),
        Plant("vote/app.py", 'redis_password = "{{odd_redis}}"\n', r"^hostname ="),
        Plant(
            "k8s-specifications/secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\nstringData:\n  password: {{password_db}}\n  token: {{slack_bot}}\n",
        ),
        Plant("chart/values.yaml", "image: vote\npostgresql:\n  auth:\n    password: {{password_db}}\n"),
        Plant("vote/Dockerfile", "ENV API_TOKEN={{slack_bot}}\n", r"^ENV FLASK_ENV"),
        Plant(
            "terraform/main.tf",
            'resource "aws_db_instance" "shop" {\n  engine   = "postgres"\n  password = "{{password_db}}"\n}\n',
        ),
        Plant(
            ".gitlab-ci.yml",
            "deploy:\n  variables:\n    API_TOKEN: {{slack_bot}}\n  script:\n    - curl -u shop:{{password_curl}} https://example.org\n",
        ),
    ),
    (
        "python3 -c \"import glob, yaml; [list(yaml.safe_load_all(open(f))) for p in ('*.yml', 'k8s-specifications/*', 'chart/*') for f in glob.glob(p)]\"",
        "node --check result/server.js && python3 -m py_compile vote/app.py",
    ),
    "python3 -c \"exec(''.join(l for l in open('vote/app.py') if l.startswith(('import os', 'redis_password')))); print(redis_password)\"",
    ("odd_redis",),
)

APPLICATIONS = (PYTHON, EXPRESS, TYPESCRIPT, GO, JAVA, RUBY, PHP, RUST, SHELL, CONTAINERS)
