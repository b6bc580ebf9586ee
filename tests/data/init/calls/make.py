"""Write FRAMEWORK.json: what the framework draws for calls of its initializers, by its own names.

    python tests/data/init/calls/make.py torch     (in an environment that has it; 2.13)
    python tests/data/init/calls/make.py keras     (3.15; KERAS_BACKEND tells the backend, once each)
    python tests/data/init/calls/make.py jax       (0.10)
    python tests/data/init/calls/make.py mxnet     (1.9.1)

A case is a call, a shape, a seed and the float32 values, null where the framework refuses.
"""

import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / "parity"))

from initializer_calls import answer  # noqa: E402

CALLS = {
    "torch": """uniform_ uniform_(a=-1) uniform_(-1) uniform_(b=0.5) uniform_(-2,3) uniform(b=0.5)
normal_ normal_(mean=3) normal_(3) normal_(std=0.02) normal_(3,2) normal(mean=3) normal(std=0.1)
constant_(val=3) constant_(2) ones_ zeros_ eye_ trunc_normal_ trunc_normal_(std=0.02)
trunc_normal_(mean=1,std=2,a=-3,b=2.5) trunc_normal_(a=-1) trunc_normal_(0,1,-1,1)
xavier_uniform_(gain=2) xavier_normal_ xavier_normal(2) kaiming_uniform_(a=1)
kaiming_normal_(mode='fan_out',nonlinearity='relu') kaiming_normal kaiming_uniform(0.2,'fan_out')
orthogonal_(gain=2) sparse_(sparsity=0.4) sparse_(0.4,std=2) dirac_ dirac_(groups=1)""",
    "keras": """uniform uniform(minval=-1,maxval=2) uniform(seed=4) normal normal(mean=3)
normal(stddev=2) RandomNormal(3) RandomNormal(stddev=2,seed=5) RandomUniform(-1)
random_uniform(minval=-1) random_normal(mean=1) TruncatedNormal(stddev=0.5,seed=7)
truncated_normal truncated_normal(mean=1) VarianceScaling(scale=2,mode='fan_out',seed=1)
VarianceScaling(distribution='normal') variance_scaling(2,'fan_avg','untruncated_normal')
glorot_uniform glorot_normal(seed=3) GlorotUniform(seed=None) HeNormal(seed=2147483648)
he_normal(seed=4294967295) HeNormal(seed=4294967296) HeNormal(seed=-1) he_uniform(seed=-7)
LecunNormal(seed=9223372036854775807) lecun_uniform(seed=9223372036854775808) lecun_normal
Orthogonal(gain=2,seed=2147483649) OrthogonalInitializer orthogonal(gain=0.5)
Constant(value=3) constant(2) Constant Zeros zero Ones one Identity(gain=2) identity
IdentityInitializer""",
    "jax": """uniform uniform(scale=0.5) uniform(0.5) normal normal(stddev=2) normal(2)
truncated_normal truncated_normal(stddev=2) constant(3) constant(value=2) zeros ones
glorot_uniform glorot_normal(in_axis=0,out_axis=1) xavier_uniform xavier_normal
kaiming_normal kaiming_uniform(in_axis=1,out_axis=0) he_normal(batch_axis=0)
he_normal(in_axis=(0,1)) he_uniform(-1,-2) lecun_normal(in_axis=0,out_axis=-1) lecun_uniform
he_uniform(in_axis=[0],out_axis=[-1]) variance_scaling(2,'fan_in','normal')
variance_scaling(1.0,'fan_geo_avg','uniform',in_axis=0,out_axis=1)
variance_scaling(scale=0.5,mode='fan_avg',distribution='truncated_normal')
orthogonal orthogonal(scale=2) orthogonal(scale=2,column_axis=0) orthogonal(column_axis=-2)
delta_orthogonal delta_orthogonal(scale=2,column_axis=0) delta_orthogonal(column_axis=-1)""",
    "mxnet": """Uniform uniform Uniform(scale=0.5) uniform(0.5) Normal normal Normal(sigma=2)
normal(2) normal(sigma=0.5) Constant(value=3) constant(2) Zero zero zeros One one ones
Xavier xavier Xavier(rnd_type='gaussian',factor_type='in',magnitude=2) xavier('uniform','out')
MSRAPrelu msraprelu(slope=0.1) MSRAPrelu(factor_type='out') Orthogonal orthogonal
Orthogonal(scale=2,rand_type='normal') orthogonal(scale=0.5) Bilinear bilinear
LSTMBias(forget_bias=2.0) lstmbias""",
}
SHAPES = [(3, 5), (4, 2, 3), (8,), (2, 1, 2, 3)]



def main():
    framework, calls = sys.argv[1], CALLS[sys.argv[1]].split()
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    target = f"keras_{backend}" if framework == "keras" else framework
    cases = [
        [call, shape, seed, answer(framework, {"call": call, "shape": shape, "seed": seed})]
        for seed, call in enumerate(calls)
        for shape in SHAPES
    ]
    (HERE / f"{target}.json").write_text(
        "[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n"
    )


if __name__ == "__main__":
    main()
