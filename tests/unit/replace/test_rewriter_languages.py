"""Go, Java, Kotlin, C#, Ruby, PHP, Rust, Scala, PowerShell: unchanged / rewritten, and what is left.

That rewritten programs still run the same is shown by tests/live/test_rewritten_programs.py, for the languages
whose tools are installed.
"""

import pytest

from tests.unit.replace.rewriting import rewrite, values

PS = "$(if ($env:V1) { $env:V1 } else { throw 'V1 is not set' })"
CS = '(System.Environment.GetEnvironmentVariable("V1") ?? throw new System.InvalidOperationException("V1 is not set"))'
KT = 'System.getenv("V1") ?: error("V1 is not set")'
JAVA = 'java.util.Objects.requireNonNull(System.getenv("V1"), "V1 is not set")'
PHP = r"(getenv('V1') ?: throw new \RuntimeException('V1 is not set'))"
RUST = 'std::env::var("V1").expect("V1 is not set")'
HELPER = """
// mustEnvA gives the value of an environment variable, without which the program can't run.
func mustEnvA(name string) string {
	value, ok := os.LookupEnv(name)
	if !ok {
		panic(name + " is not set")
	}
	return value
}
"""
REWRITTEN = [
    ("a.go", 'package a\n\nconst A = "⟦s3⟧"\n', 'package a\n\nimport "os"\n\nvar A = mustEnvA("V1")\n' + HELPER),
    (
        "a.go",
        'package a\n\nimport (\n\t"fmt"\n\t"time"\n)\n\nvar b = f("x ⟦s3⟧")\n',
        'package a\n\nimport (\n\t"fmt"\n\t"os"\n\t"time"\n)\n\nvar b = f("x " + mustEnvA("V1"))\n' + HELPER,
    ),
    (
        "a.go",
        'package a\n\nimport "os"\n\nconst (\n\tA = "⟦s3⟧"\n\tB = "b"\n)\n',
        'package a\n\nimport "os"\n\nvar (\n\tA = mustEnvA("V1")\n\tB = "b"\n)\n' + HELPER,
    ),
    (
        "a.go",
        'package a\n\nimport "os"\n\nconst (\n\tN = 1\n\tA = "⟦s3⟧"\n\tM = 2\n)\n',
        'package a\n\nimport "os"\n\nconst (\n\tN = 1\n)\n\nvar A = mustEnvA("V1")\n\nconst (\n\tM = 2\n)\n' + HELPER,
    ),
    ("A.java", 'class A { String p = "⟦s3⟧"; }\n', f"class A {{ String p = {JAVA}; }}\n"),
    ("A.java", 'class A { int p = "a⟦s3⟧".length(); }\n', f'class A {{ int p = ("a" + {JAVA}).length(); }}\n'),
    ("A.kt", 'class A {\n  const val P = "⟦s3⟧"\n}\n', f"class A {{\n  val P = {KT}\n}}\n"),
    ("A.kt", 'val p = "u:⟦s3⟧@$h"\n', f'val p = "u:${{{KT}}}@$h"\n'),
    (
        "A.cs",
        'class A { public const string P = "⟦s3⟧"; }\n',
        f"class A {{ public static readonly string P = {CS[1:-1]}; }}\n",
    ),
    (
        "A.cs",
        'class A { void F() { const string p = @"a⟦s3⟧"; } }\n',
        f'class A {{ void F() {{ string p = @"a" + {CS}; }} }}\n',
    ),
    ("a.rb", "p = { k: '⟦s3⟧' }\n", "p = { k: ENV.fetch('V1') }\n"),
    ("Rakefile", 'p = "u:⟦s3⟧@#{h}"\n', "p = \"u:#{ENV.fetch('V1')}@#{h}\"\n"),
    ("a.php", "<?php\n$p = 'a⟦s3⟧';\n", f"<?php\n$p = 'a' . {PHP};\n"),
    ("a.rs", 'fn f() { g("⟦s3⟧") }\n', f"fn f() {{ g(&*{RUST}.leak()) }}\n"),
    ("a.rs", 'fn f() { g("⟦s3⟧".to_string()) }\n', f"fn f() {{ g({RUST}.to_string()) }}\n"),
    ("a.scala", 'object A { val p = s"a $b ⟦s3⟧" }\n', 'object A { val p = s"a $b " + sys.env("V1") }\n'),
    ("a.ps1", "$p = '⟦s3⟧'\n", f"$p = {PS}\n"),
    ("a.ps1", 'Foo -P "a ⟦s3⟧"\n', f'Foo -P "a {PS}"\n'),
]
LEFT = [
    ("a.go", 'package a\nconst (\n\tN = iota\n\tA = "⟦s3cret⟧"\n)\n', "counted"),
    ("a.go", 'package a\nconst A = "⟦s3cret⟧"\nconst B = A + "b"\n', "another constant"),
    ("a.go", 'package a\ntype T struct { A string `x:"⟦s3cret⟧"` }\n', "tag"),
    ("A.java", '@X("⟦s3cret⟧") class A {}\n', "annotation"),
    ("A.java", 'class A { static final String P = "⟦s3cret⟧"; @X(P) void f() {} }\n', "annotation"),
    ("A.java", 'class A { static final String P = "⟦s3⟧"; void f() { switch (a) { case P: } } }\n', "case"),
    ("A.java", 'class A { String p = """\n  ⟦s3cret⟧\n  """; }\n', "text block"),
    ("A.kt", 'import android.app.Activity\nval p = "⟦s3cret⟧"\n', "app"),
    ("A.kt", '@X("⟦s3cret⟧")\nclass A\n', "annotation"),
    ("A.cs", '[X("⟦s3cret⟧")] class A {}\n', "attribute"),
    ("A.cs", 'class A { void F(string p = "⟦s3cret⟧") {} }\n', "default"),
    ("A.cs", 'class A { const string P = "⟦s3⟧"; [X(P)] void F() {} }\n', "constant"),
    ("a.rb", 'p = { "⟦s3cret⟧": 1 }\n', "key"),
    ("a.rb", "p = %w[⟦s3cret⟧]\n", "not understood"),
    ("a.rb", "p = <<~'EOS'\n  ⟦s3cret⟧\nEOS\n", "quoted mark"),
    ("a.php", "<?php class A { const P = '⟦s3cret⟧'; }\n", "constant expression"),
    ("a.php", "<?php class A { private $p = '⟦s3cret⟧'; }\n", "constant expression"),
    ("a.rs", 'const P: &str = "⟦s3cret⟧";\n', "run time"),
    ("a.rs", 'fn f() { println!("⟦s3cret⟧"); }\n', "macro"),
    ("a.rs", 'fn f() { match p { "⟦s3cret⟧" => 1 } }\n', "pattern"),
    ("a.scala", 'object A { def f(p: String) = p match { case "⟦s3cret⟧" => 1 } }\n', "pattern"),
    ("a.ps1", "$p = @'\n⟦s3cret⟧\n'@\n", "here-string"),
]


@pytest.mark.parametrize(("path", "before", "after"), REWRITTEN)
def test_language_with_a_secret_reads_the_environment(path, before, after):
    assert rewrite(path, before)[0] == after


@pytest.mark.parametrize(("path", "before", "reason"), LEFT)
def test_language_that_needs_a_constant_is_left(path, before, reason):
    text, result = rewrite(path, before)
    assert text == before.replace("⟦", "").replace("⟧", "")
    assert reason in result.skips[0].reason
    assert result.skips[0].advice


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("a.go", 'package a\nvar p = "⟦a\\"\\x41\\u00e9\\t⟧"\n', 'a"Aé\t'),
        ("A.java", 'class A { String p = "⟦a\\"\\101\\u00e9⟧"; }\n', 'a"Aé'),
        ("A.kt", 'val p = "⟦a\\$b\\n⟧"\n', "a$b\n"),
        ("A.cs", 'class A { string p = @"⟦a""b\\n⟧"; }\n', 'a"b\\n'),
        ("a.rb", "p = '⟦a\\'b\\n⟧'\n", "a'b\\n"),
        ("a.rb", 'p = "⟦a\\#b\\n\\q⟧"\n', "a#b\nq"),
        ("a.php", "<?php $p = '⟦a\\'b\\n⟧';\n", "a'b\\n"),
        ("a.php", '<?php $p = "⟦a\\$b\\n\\q⟧";\n', "a$b\n\\q"),
        ("a.rs", 'fn f() { g("⟦a\\"\\u{e9}⟧") }\n', 'a"é'),
        ("a.ps1", "$p = '⟦a''b⟧'\n", "a'b"),
    ],
)
def test_language_value_is_what_the_literal_means(path, text, value):
    assert values(rewrite(path, text)[1]) == [value.encode()]
