# Hold an implementation of SAM against the vectors: julia vectors/verify.jl, with the package JSON. Yours takes the place of this.
import JSON

const HERE = @__DIR__
numbers(a) = Float64.(a)
norm(a, p) = p == Inf ? maximum(abs.(a)) : sum(abs.(a) .^ p)^(1 / p)
order(p) = p == "inf" ? Inf : Float64(p)
agree(a, b) = length(a) == length(b) && norm(a .- b, Inf) <= 1e-10 * norm(b, Inf)

# ε = ρ d/‖d‖_p with d = sign(g) |g|^(q−1), of g over its largest entry; 0 for g = 0
function epsilon(g, rho, p)
    all(iszero, g) && return zero(g)
    a = abs.(g) ./ norm(g, Inf)
    d = sign.(g) .* (p == 1 ? Float64.(a .== 1) : a .^ (1 / (p - 1)))
    return rho .* d ./ norm(d, p)
end

# loss and gradient; w = W (3, 4) row by row, then b (4); x (m, 3), y from 1
function softmax_regression(w, x, y)
    z = x * permutedims(reshape(w[1:12], 4, 3)) .+ w[13:16]'
    p = exp.(z) ./ sum(exp.(z), dims=2)
    dz = (p .- (y .== (1:4)')) ./ length(y)
    loss = -sum(log(p[k, y[k]]) for k in eachindex(y)) / length(y)
    return loss, vcat(vec(permutedims(x' * dz)), vec(sum(dz, dims=1)))
end

for case in JSON.parsefile(joinpath(HERE, "epsilon.json"))["cases"]
    many = case["g"][1] isa AbstractVector
    for (k, g) in enumerate(many ? case["g"] : [case["g"]])
        rho = case["rho"] isa AbstractVector ? case["rho"][k][1] : case["rho"]
        expected = many ? case["epsilon"][k] : case["epsilon"]
        @assert agree(epsilon(numbers(g), rho, order(case["p"])), numbers(expected)) "$(case["name"]), p = $(case["p"])"
    end
end
for name in ("sam", "sam-with-l2", "sam-with-p-1", "sam-with-p-1.5", "sam-with-p-3", "sam-with-p-inf")
    file = JSON.parsefile(joinpath(HERE, "sam", "$name.json"))
    s, w, v = file["optimizer"], numbers(file["w"]), zeros(16)
    x = permutedims(reduce(hcat, numbers.(file["problem"]["x"])))
    y = Int.(file["problem"]["y"]) .+ 1
    for (rows, lr, step) in zip(file["batches"], file["lr"], file["steps"])
        i = Int.(rows) .+ 1
        loss, g = softmax_regression(w, x[i, :], y[i])
        e = epsilon(g, s["rho"], order(s["p"]))
        _, g_adv = softmax_regression(w .+ e, x[i, :], y[i])
        v = s["base"]["momentum"] .* v .+ g_adv .+ 2 * (s["l2"] + s["base"]["l2"]) .* w
        w = w .- lr .* v
        @assert agree([loss], [step["loss"]]) && agree(e, numbers(step["eps"][2])) && agree(w, numbers(step["w"])) name
    end
end
println("epsilon and SAM over SGD agree with the vectors")
