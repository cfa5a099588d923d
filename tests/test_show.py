"""`show` prints what stands in the file."""

from minisam import SAM, epsilon, ops, show


def test_a_function_is_printed_with_its_place(capsys):
    show(epsilon)
    out = capsys.readouterr().out
    assert out.startswith("# minisam.sam.epsilon, line ")
    assert "ε = ρ d / ‖d‖_p" in out
    assert "return first_order(g, like(rho, g), p)" in out
    assert "check_ball(rho: Any" not in out


def test_a_method_is_printed(capsys):
    show(SAM.direction)
    assert "g_adv = look(eps)" in capsys.readouterr().out


def test_a_primitive_comes_with_its_derivative(capsys):
    show(ops.affine)
    out = capsys.readouterr().out
    assert "def affine(" in out
    assert out.rstrip().endswith(")")
    assert "# W̄ = xᵀ ȳ" in out
    assert "def relu" not in out
    show(ops.tanh)
    assert "defvjp(tanh, lambda y, x: lambda g: g * (1 - y * y))" in capsys.readouterr().out
