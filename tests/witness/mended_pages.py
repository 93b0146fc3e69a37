"""Pages that got a wrong verdict once, found by people who looked for them.

The letters of what is right: P proved, R refuted, U unread, O open, D defined; where the reader may be honest in
several ways, several.
"""

PAGES: list[tuple[dict | None, dict, list[tuple[str, str]]]] = [
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"\frac{\partial\delta_i}{\partial b_j}=0", "R"),
            (r"\frac{\partial\delta_i}{\partial b_j}=\delta_{ij}\hat y_i(1-\hat y_i)", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid"), ("n_2", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"q=\delta^{(2)}", "D"),
            (r"\frac{\partial q_i}{\partial z^{(2)}_j}=0", "RU"),
            (r"\frac{\partial q_i}{\partial z^{(2)}_j}=\delta_{ij}a^{(2)}_i(1-a^{(2)}_i)", "PU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid"), ("n_2", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"s=W^{(2)}a^{(1)}", "D"),
            (r"\frac{\partial J}{\partial s}=0 y", "RU"),
            (r"\frac{\partial J}{\partial s}=\delta^{(2)}", "PU"),
            (r"\frac{\partial z^{(2)}_i}{\partial s_j}=0", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"u=x", "D"),
            (r"\frac{\partial J}{\partial u}=0x", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"\frac{\partial J}{\partial(Wx)}=0b", "RU"),
            (r"\frac{\partial J}{\partial(Wx)}=\hat y-y", "PU"),
        ],
    ),
    (
        {"layers": [("n_1", "identity")], "inputs": "n_0", "loss": "squared_error"},
        {},
        [
            (r"r=a-y", "D"),
            (r"J=\|r\|^2", "P"),
            (r"\frac{\partial J}{\partial r}=0r", "RU"),
            (r"\frac{\partial J}{\partial r}=2r", "PU"),
        ],
    ),
    (
        {"layers": [(1, "sigmoid")], "inputs": "n", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"y_j=y_k", "RU"),
            (r"a_j=\sigma(z_k)", "RU"),
            (r"\frac{\partial J}{\partial b}=\frac1m\sum_{i=1}^m(a_i-y_j)", "RU"),
            (r"\frac{\partial J}{\partial b}=\frac1m\sum_{i=1}^m(a_i-y_i)", "P"),
            (r"\frac{\partial J}{\partial b}=\frac1m\sum_i(a_i-y_i)", "P"),
            (r"J=-\frac1m\sum_{i=1}^m[y_j\log a_k+(1-y_i)\log(1-a_i)]", "RU"),
        ],
    ),
    (
        {"layers": [(1, "sigmoid")], "inputs": "n", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"\frac{\partial J}{\partial w_j}=\frac1m\sum_{i=1}^m(a_i-y_i)x_{ij}", "PRU"),
            (r"z=\sum_iw_ix_i+b", "P"),
            (r"\frac{\partial J}{\partial w_i}=\frac1m\sum_xx_i(\sigma(z)-y)", "P"),
        ],
    ),
    (
        {"layers": [(1, "sigmoid")], "inputs": 1, "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"\frac{\partial J}{\partial w}=\frac1m\sum_{i=1}^m(a_i-y_i)x_j", "RU"),
            (r"\frac{\partial J}{\partial w}=\frac1m\sum_{i=1}^m(a_i-y_i)x_i", "P"),
            (r"z_j=wx_k+b", "RU"),
            (r"z_j=wx_j+b", "P"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "n x p", "W": "p x k", "L": "loss", "J": "loss"}},
        [
            (r"Y=XW", "D"),
            (r"J=L+\frac12\|W\|_F^2", "D"),
            (r"\frac{\partial J}{\partial W}=W", "RUO"),
            (r"\frac{\partial J}{\partial W}=X^T\frac{\partial L}{\partial Y}+W", "PUO"),
            (r"\frac{\partial (2L)}{\partial W}=0W", "RUO"),
            (r"\frac{\partial L^2}{\partial W}=0W", "RUO"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "n x p", "W": "p x k", "L": "loss", "J": "loss"}},
        [
            (r"Y=XW", "D"),
            (r"G=\frac{\partial L}{\partial Y}", "D"),
            (r"\frac{\partial\|G\|^2}{\partial W}=0W", "RUO"),
        ],
    ),
    (
        None,
        {},
        [
            (r"\frac{d}{d(wx+b)}(wx+b)^2=2(wx+b)", "P"),
            (r"\frac{d(v^2)^2}{d(v^2)}=2(wx+b)", "RU"),
            (r"\frac{d(v^2)^2}{d(v^2)}=2v^2", "PU"),
            (r"u=3x", "D"),
            (r"\frac{du}{dx}=w", "RU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"u=5x", "D"),
            (r"\frac{d(x^2)^3}{d(x^2)}=3(5x)^2", "RU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"t=2x", "D"),
            (r"z=2^t", "D"),
            (r"\frac{dz}{dx}=0", "RU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"z=wx+b", "D"),
            (r"y=x^z", "D"),
            (r"\frac{dy}{dw}=0", "RU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"n=x", "D"),
            (r"\frac{d}{dx}x^n=nx^{n-1}", "RUO"),
        ],
    ),
    (
        None,
        {},
        [
            (r"f(x,y)=x-y", "D"),
            (r"f(y,x)=x-y", "RU"),
            (r"f(1,2)=x-y", "RU"),
            (r"f(y,x)=y-x", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"J(w,b)=(wx+b-y)^2", "D"),
            (r"J(0,0)=(wx+b-y)^2", "RU"),
            (r"J(0,0)=y^2", "PU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"L(a,y)=-y\log a-(1-y)\log(1-a)", "D"),
            (r"L(1-a,y)=L(a,y)", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid"), ("n_2", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"r(a,y)=\|a^{(2)}-y\|^2", "DU"),
            (r"r(1,2)=\|a^{(2)}-y\|^2", "RU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"a=3x", "D"),
            (r"f(x)=ax", "D"),
            (r"f'(x)=a", "RU"),
            (r"f(x)=3x^2", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"c=4", "D"),
            (r"g(x)=x^2+c", "D"),
            (r"c=4", "P"),
            (r"g(1)=5", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"f(x)=wx+b", "D"),
            (r"L=(f(x)-y)^2", "D"),
            (r"\frac{\partial f}{\partial w}=0", "RU"),
            (r"\frac{\partial f}{\partial w}=x", "PU"),
            (r"\frac{\partial L}{\partial w}=2(f(x)-y)x", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"y=x^2", "D"),
            (r"g(t)=tx", "D"),
            (r"y=x^2", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"|x|=\begin{cases}x&x>0\\-x&x>5\end{cases}", "RU"),
            (r"|x|=\begin{cases}x&x>0\\-x&x\le 0\end{cases}", "P"),
            (r"|x|=\begin{cases}x&x>0\\-x&x<0\end{cases}", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "relu")], "inputs": "n_0", "loss": "squared_error"},
        {},
        [
            (r"a=\begin{cases}z&z>0\\0&z>0\end{cases}", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"\frac{\partial a_i}{\partial z_j}=\begin{cases}\sigma'(z_i)&i=j\\0&i=j\end{cases}", "RU"),
            (r"\frac{\partial a_i}{\partial z_j}=\begin{cases}\sigma'(z_i)&i=j\\0&i\neq j\end{cases}", "P"),
        ],
    ),
    (
        None,
        {"symbols": {"v": "p x 1"}},
        [
            (r"D_{ii}=v_i", "UD"),
            (r"D_{jj}=p v_j", "RU"),
            (r"D=p\,\mathrm{diag}(v)", "RUD"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid"), ("n_2", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"\frac{\partial^2J}{\partial z^{(2)}_i\partial z^{(1)}_j}=0", "RU"),
            (r"\frac{\partial^2J}{\partial z^{(1)}_j\partial z^{(2)}_i}=0", "RU"),
            (r"\frac{\partial}{\partial a^{(2)}_j}\frac{\partial J}{\partial z^{(2)}_i}=0", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"z=Wx+b", "P"),
            (r"a=Wx+b", "RU"),
            (r"z=\sigma(a)", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"dZ=\frac1m(A-Y)", "P"),
            (r"dW=\frac1m dZX^T", "RU"),
        ],
    ),
    (
        None,
        {"symbols": {"A": "n x k", "x": "k x 1", "L": "loss"}, "notation": {"layout": "numerator"}},
        [
            (r"y=Ax", "D"),
            (r"\frac{\partial L}{\partial x}=A^T\frac{\partial L}{\partial y}", "RU"),
            (r"\frac{\partial L}{\partial x}=\frac{\partial L}{\partial y}A", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"v:=\beta v+(1-\beta)\frac{\partial J}{\partial W}", "D"),
            (r"\Delta=v+3", "RU"),
            (r"A=v", "RU"),
            (r"Y=3A", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"m:=\beta m+(1-\beta)\frac{\partial J}{\partial W}", "DU"),
            (r"\Delta=\frac1m(Y-A)", "R"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "n x p", "W": "p x k", "L": "loss", "J": "loss"}},
        [
            (r"Y=XW", "D"),
            (r"W:=0.5W+\frac{\partial L}{\partial W}", "DUO"),
            (r"Y=3XW", "R"),
        ],
    ),
    (
        {
            "layers": [("n_1", "identity"), ("n_2", "identity")],
            "inputs": "n_0",
            "loss": "squared_error",
            "notation": {"first": 2, "layer": "(l)"},
        },
        {},
        [
            (r"D^{(2)}=x", "D"),
            (r"D^{(2)}=y", "RU"),
        ],
    ),
    (
        {
            "layers": [("n_1", "sigmoid"), ("n_2", "sigmoid")],
            "inputs": "n_0",
            "loss": "binary_cross_entropy",
            "batch": "m",
        },
        {},
        [
            (r"D^{(l)}=X", "DU"),
            (r"D^{(l)}=X", "DUP"),
        ],
    ),
    (
        None,
        {},
        [
            (r"y=\sigma(x)", "D"),
            (r"x=\log\frac{y}{1+y}", "RU"),
            (r"x=\log\frac{y}{1-y}", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"z=wx+b", "D"),
            (r"a=\sigma(z)", "D"),
            (r"\delta=\frac{dL}{dz}", "D"),
            (r"\frac{dL}{dw}=\delta x", "P"),
            (r"\frac{dL}{db}=\delta", "P"),
            (r"\frac{dL}{db}=2\delta", "R"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "n x p", "W": "p x k", "L": "loss", "J": "loss"}},
        [
            (r"Y=XW", "D"),
            (r"\Delta=\frac{\partial L}{\partial Y}", "D"),
            (r"\frac{\partial L}{\partial W}=X^T\Delta", "P"),
            (r"R=\|W\|_F^2", "D"),
            (r"\frac{\partial L}{\partial W}=X^T\Delta", "P"),
            (r"S=YY^T", "D"),
            (r"\frac{\partial L}{\partial W}=X^T\Delta", "P"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "n x p", "W": "p x k", "L": "loss", "J": "loss"}},
        [
            (r"Y=XW", "D"),
            (r"R=\|W\|_F^2", "D"),
            (r"\frac{\partial L}{\partial W}=X^T\frac{\partial L}{\partial Y}", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"z=wx+b", "D"),
            (r"\delta=\frac{\partial L}{\partial z}", "D"),
            (r"a=\tanh(z)", "D"),
            (r"\delta=\frac{\partial L}{\partial a}(1-a^2)", "UP"),
        ],
    ),
    (
        None,
        {},
        [
            (r"z=wx+b", "D"),
            (r"\delta=\frac{\partial L}{\partial z}", "D"),
            (r"L=(z-y)^2", "U"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"z_j=\sum_iw_{ji}x_i+b_j", "P"),
            (r"\frac{\partial J}{\partial z_i}=\frac1m(a_i-y_i)", "P"),
            (r"a_i=\sigma(z_i)", "P"),
            (r"a_i=\sigma(z_j)", "R"),
        ],
    ),
    (
        {"layers": [("n_1", "softmax")], "inputs": "n_0", "loss": "cross_entropy", "batch": "m"},
        {},
        [
            (r"\sum_{i=1}^{n_1}a_i=1", "P"),
            (r"\sum_{i=1}^{n_1}a_i=2", "R"),
        ],
    ),
    (
        {"layers": [(3, "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": 3},
        {},
        [
            (r"a_i=\sigma(z_i)", "P"),
            (r"\frac{\partial J}{\partial z_i}=\frac13(a_i-y_i)", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "tanh"), ("n_2", "softmax")], "inputs": "n_0", "loss": "cross_entropy"},
        {},
        [
            (r"\frac{\partial a_k}{\partial z_j}=a_k(\delta_{kj}-a_j)", "PU"),
            (r"\sum_ia_i=1", "PU"),
            (r"p_k=\frac{e^{z_k}}{\sum_je^{z_j}}", "PU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid"), ("n_2", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"\frac{\partial z_j}{\partial w_{kl}}=\delta_{jk}x_l", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"L=(wx-y)^2", "D"),
            (r"w_{t+1}=w_t-\eta\frac{dL}{dw}", "P"),
            (r"w:=w-\gamma\frac{dL}{dw}", "P"),
            (r"w:=w+\gamma\frac{dL}{dw}", "R"),
        ],
    ),
    (
        None,
        {},
        [
            (r"(f\circ g)'=f'\circ g\cdot g'", "P"),
            (r"(f\circ g)'=f'\cdot g'", "R"),
        ],
    ),
    (
        None,
        {},
        [
            (r"J(w)=(wx-y)^2", "D"),
            (r"J(0)=0", "RU"),
            (r"J(w+1)=(w+1)J(w)", "RU"),
            (r"J(0)=y^2", "PU"),
            (r"J(w+1)=(wx+x-y)^2", "PU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"\frac{J(\theta+\epsilon)-J(\theta-\epsilon)}{2\epsilon}=J", "RU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"J(\theta)=x\theta^3", "D"),
            (r"\frac{J(\theta+\epsilon)-J(\theta-\epsilon)}{2\epsilon}=3x\theta^2+x\epsilon^2", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"J(0)=0", "RU"),
            (r"L(-1)=-L", "RU"),
        ],
    ),
    (
        None,
        {"symbols": {"x": "n x 1", "W": "k x n"}},
        [
            (r"f(x)=\|Wx\|^2+1", "D"),
            (r"f(0)=0", "RU"),
            (r"f(-x)=f(x)", "PU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"r(x)=\|Wx\|^2+1", "D"),
            (r"r(0)=0", "RU"),
        ],
    ),
    (
        None,
        {"symbols": {"x": "n x 1", "W": "k x n"}},
        [
            (r"f(x)=Wx", "D"),
            (r"f(x)=Wx", "P"),
            (r"f(2)=2Wx", "RU"),
            (r"f(2x)=2Wx", "PU"),
            (r"f(2x)=Wx", "RU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"\hat y(x)=wx+b", "D"),
        ],
    ),
    (
        None,
        {},
        [
            (r"y=x^2", "D"),
            (r"dy=x\,dx", "RU"),
            (r"dy=2x\,dx", "PU"),
            (r"\mathrm dy=x\,\mathrm dx", "RU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"d(uv)=u\,dv", "RU"),
            (r"d(uv)=u\,dv+v\,du", "P"),
            (r"d(x^3)=x^2dx", "RU"),
            (r"d(x^3)=3x^2dx", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"dy=2x\,dx", "UO"),
        ],
    ),
    (
        None,
        {},
        [
            (r"L=(f(x)-y)^2", "D"),
            (r"f(x)=wx", "U"),
            (r"\frac{dL}{dw}=0", "UROP"),
        ],
    ),
    (
        None,
        {},
        [
            (r"a=\phi(z)", "D"),
            (r"\phi(z)=\tanh(z)", "U"),
        ],
    ),
    (
        None,
        {},
        [
            (r"h(x)=g(x)+x", "D"),
            (r"g(x)=x^2", "U"),
            (r"h'(x)=g'(x)+1", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"(f\circ g)(x)=f(g(x))", "P"),
            (r"(f\circ g)(2x)=2(f\circ g)(x)", "R"),
            (r"(f+g)(x)=f(x)+g(x)", "P"),
            (r"(f')(2x)=2(f')(x)", "RU"),
            (r"(f/g)(x)=\frac{f(x)}{g(x)}", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"(f+g)\circ h=f\circ h+g\circ h", "P"),
            (r"(f\circ g\circ h)'=(f'\circ g\circ h)(g'\circ h)h'", "P"),
            (r"(2f)\circ g=2(f\circ g)", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"\psi(t)=t^2", "D"),
            (r"\psi\circ\sigma=\sigma\circ\psi", "RU"),
            (r"\sigma\circ\sigma=\sigma\odot\sigma", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"\frac{\partial\delta}{\partial z}=0", "RU"),
            (r"\frac{\partial\delta}{\partial W}=0x^T", "RU"),
            (r"\frac{\partial(\delta+z)}{\partial W}=x^T", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid"), ("n_2", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"u=\delta^{(1)}", "D"),
            (r"\frac{\partial u}{\partial z^{(1)}}=0", "RU"),
        ],
    ),
    (
        {
            "layers": [("n_1", "sigmoid"), ("n_2", "sigmoid")],
            "inputs": "n_0",
            "loss": "binary_cross_entropy",
            "batch": "m",
        },
        {},
        [
            (r"\frac{\partial\delta^{(2)}}{\partial W^{(2)}}=0a^{(1)T}", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"m:=\beta m+(1-\beta)\frac{\partial J}{\partial W}", "DU"),
            (r"W:=W+\frac{5\alpha}{m}(A-Y)X^T", "R"),
            (r"b:=b+7\alpha\frac5m(A-Y)\mathbf1", "R"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"Y:=2Y-1", "RU"),
            (r"W:=W+\alpha\frac1m(A-Y)X^T", "R"),
        ],
    ),
    (
        None,
        {},
        [
            (r"L=(wx-y)^2", "D"),
            (r"y:=2y+1", "RU"),
            (r"w:=w+\eta2(wx-y)x", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"v:=\beta v+(1-\beta)\frac{\partial J}{\partial W}", "D"),
            (r"Z=Z+5v", "RU"),
            (r"A=A+v", "RU"),
            (r"J=J+\|v\|^2", "RU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"(a^x)'=xa^{x-1}", "RU"),
            (r"(a^x)'=a^x\ln a", "P"),
            (r"(x^n)'=nx^{n-1}", "P"),
            (r"(c^t)'=tc^{t-1}", "RU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"f(x,y)=x^2+y^2", "D"),
            (r"y=x", "D"),
            (r"\frac{\partial f(x,y)}{\partial x}=4x", "RU"),
            (r"\frac{\partial f(x,y)}{\partial x}=2x", "P"),
            (r"\frac{df}{dx}=\frac{\partial f}{\partial x}+\frac{\partial f}{\partial y}\frac{dy}{dx}", "PU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"y=2x", "D"),
            (r"z=x^2+y^2", "D"),
            (r"\frac{dz}{dx}=\frac{\partial z}{\partial x}+\frac{\partial z}{\partial y}\frac{dy}{dx}", "PU"),
            (r"\frac{dz}{dx}=\frac{\partial z}{\partial x}", "RU"),
            (r"\frac{dz}{dx}=10x", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"\delta=a-y", "P"),
            (r"v=y-d", "DU"),
            (r"y=a", "RU"),
            (r"\delta=a-y", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"\Delta=\frac1m(A-Y)", "P"),
            (r"dW=\frac1mdZX^T", "PR"),
            (r"\Delta=\frac1m(A-Y)", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"a=Wx+b", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"L(a,y)=L(y,a)", "RU"),
        ],
    ),
    (
        None,
        {"symbols": {"x": "n x 1", "W": "k x n", "z": "k x 1", "L": "loss"}},
        [
            (r"\delta=\frac{\partial L}{\partial z}", "D"),
            (r"z=Wx", "UD"),
            (r"\frac{\partial L}{\partial W}=\delta x^T", "POU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"e^{(i)}=a^{(i)}-y^{(i)}", "UDR"),
            (r"e_j=a_j-y_j", "UD"),
        ],
    ),
    (
        {"layers": [("K", "softmax")], "inputs": "n", "loss": "cross_entropy"},
        {},
        [
            (r"\frac d{dz}\tanh(z)=1-\tanh(z)^2", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"\frac d{dx}\log x=\frac1x", "P"),
            (r"\frac d{dx}x^2=2x", "P"),
            (r"\frac d{dx}x^2=3x", "R"),
        ],
    ),
    (
        None,
        {},
        [
            (r"L=(wx-y)^2", "D"),
            (r"w_{t+1}=w_t+v_{t+1}", "DUO"),
        ],
    ),
    (
        {"layers": [("n_1", "identity")], "inputs": "n_0", "loss": "squared_error"},
        {},
        [
            (r"W:=W-2(a-y)x^T", "P"),
            (r"W:=W-(a-y)x^T", "R"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "n x p", "W": "p x k", "L": "loss", "J": "loss"}},
        [
            (r"Y=XW", "D"),
            (r"d(XW)=dXW+XdW", "P"),
            (r"dY=dXW+XdW", "P"),
            (r"dX=dYW^T", "P"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "n x d", "W": "d x d", "L": "loss"}},
        [
            (r"H = XW", "D"),
            (r"Y = H + X", "D"),
            (r"\frac{\partial L}{\partial X} = \frac{\partial L}{\partial H}W^T", "RU"),
            (r"\frac{\partial L}{\partial X} = \frac{\partial L}{\partial H}W^T+\frac{\partial L}{\partial Y}", "P"),
            (r"\frac{\partial L}{\partial H} = \frac{\partial L}{\partial Y}", "P"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "n x d", "A": "d x k", "B": "d x k", "L": "loss"}},
        [
            (r"Q=XA", "D"),
            (r"K=XB", "D"),
            (r"S=QK^T", "D"),
            (r"\frac{\partial L}{\partial X}=\frac{\partial L}{\partial Q}A^T", "RU"),
            (r"\frac{\partial L}{\partial X}=\frac{\partial L}{\partial Q}A^T+\frac{\partial L}{\partial K}B^T", "P"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "n x d", "W": "d x d", "L": "loss"}},
        [
            (r"H=XW", "D"),
            (r"Y=HW", "D"),
            (r"\frac{\partial L}{\partial W}=X^T\frac{\partial L}{\partial H}", "RU"),
            (r"\frac{\partial L}{\partial W}=X^T\frac{\partial L}{\partial H}+H^T\frac{\partial L}{\partial Y}", "P"),
            (r"\frac{\partial L}{\partial H}=\frac{\partial L}{\partial Y}W^T", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"h=wx", "D"),
            (r"y=wh", "D"),
            (r"\frac{dL}{dw}=\frac{dL}{dh}x", "RU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"m=x+y", "D"),
            (r"s=x-y", "D"),
            (r"z=ms", "D"),
            (r"\frac{\partial L}{\partial x}=\frac{\partial L}{\partial m}", "RU"),
            (r"\frac{\partial L}{\partial x}=\frac{\partial L}{\partial m}+\frac{\partial L}{\partial s}", "P"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "n x d", "W": "d x d", "L": "loss"}},
        [
            (r"H=XW", "D"),
            (r"\frac{\partial L}{\partial W}=X^T\frac{\partial L}{\partial H}", "P"),
            (r"Y=HW", "D"),
            (r"\frac{\partial L}{\partial W}=X^T\frac{\partial L}{\partial H}", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"W_{old}=W_{new}-\alpha\frac{\partial J}{\partial W}", "RU"),
            (r"W_{old}=W_{new}+\alpha\frac{\partial J}{\partial W}", "PU"),
            (r"W=W_{new}-\alpha\frac1m(A-Y)X^T", "RU"),
            (r"W_{new}=W_{old}-\alpha\frac1m(A-Y)X^T", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"W_{t+1}=W_{t-1}-\alpha\frac1m(A-Y)X^T", "RU"),
            (r"W_{t+1}=W_t-\alpha\frac{\partial J}{\partial W_{t+1}}", "RU"),
            (r"W_{new}=W-\alpha\frac{\partial J}{\partial W_{new}}", "RU"),
            (r"W_{t+1}=W_t-\alpha\frac{\partial J}{\partial W_t}", "P"),
        ],
    ),
    (
        {
            "layers": [("n_1", "sigmoid"), ("n_2", "sigmoid")],
            "inputs": "n_0",
            "loss": "binary_cross_entropy",
            "batch": "m",
            "notation": {"layer": "[l]"},
        },
        {},
        [
            (r"\mathrm{dW}^{[2]}=(Y-A^{[2]})A^{[1]T}", "RU"),
            (r"\mathrm{dZ}^{[2]}=Y-A^{[2]}", "RU"),
            (r"\mathrm{dW}^{[2]}=\frac1m(A^{[2]}-Y)A^{[1]T}", "P"),
            (r"\mathrm{dW2}=(Y-A^{[2]})A^{[1]T}", "RU"),
        ],
    ),
    (
        {"layers": [("n_1", "tanh"), ("n_2", "tanh")], "inputs": "n", "loss": "half_squared_error"},
        {},
        [
            (r"\delta_2=(a_2-y)\odot(1-a_2^2)", "P"),
            (r"\delta_1=W_2^T\delta_2\odot(1-a_1^2)", "P"),
            (r"\delta_1=W_2^T\delta_2\odot(1-a_1)^2", "R"),
        ],
    ),
    (
        {"layers": [(1, "tanh"), (1, "tanh")], "inputs": 1, "loss": "half_squared_error"},
        {},
        [
            (r"\frac{\partial J}{\partial w_2}=(a_2-y)(1-a_2^2)a_1", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid"), ("n_2", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        {},
        [
            (r"\delta_o=a^{(2)}-y", "P"),
            (r"\delta_h=W^{(2)T}\delta_o\odot a^{(1)}\odot(1-a^{(1)})", "P"),
            (r"\frac{\partial J}{\partial W^{(2)}}=\delta_oa^{(1)T}", "P"),
            (r"\frac{\partial J}{\partial W^{(2)}}=\delta_ha^{(1)T}", "R"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "n x d", "w": "d x 1", "y": "n x 1"}},
        [
            (r"L(w)=\frac12\|Xw-y\|^2", "D"),
            (r"w_{t+1}=w_t-\eta\nabla L(w_t)", "P"),
            (r"w_{k+1}=w_k-\eta\nabla L(w_k)", "P"),
            (r"w_{t+1}=w_t-\eta X^T(Xw_t-y)", "P"),
            (r"w_{t+1}=w_t+\eta X^T(Xw_t-y)", "R"),
        ],
    ),
    (
        {"layers": [(1, "sigmoid")], "inputs": "n", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"\frac{\partial L^{(i)}}{\partial b}=a-y", "P"),
            (r"\frac{\partial L^{(j)}}{\partial b}=a-y", "P"),
            (r"a^{(j)}=\sigma(wx+b)", "P"),
        ],
    ),
    (
        {"layers": [("n_1", "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy", "batch": "m"},
        {},
        [
            (r"\delta_{ki}=\frac1m(a_{ki}-y_{ki})", "U"),
            (r"\frac{\partial J}{\partial b_k}=\sum_{i=1}^m\delta_{ki}", "U"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "m x n", "W": "p x n", "x": "n x 1", "w": "n x 1"}},
        [
            (r"z = W x", "D"),
            (r"2 \frac{\partial z}{\partial W} = x^T", "RU"),
            (r"5 + \frac{\partial z}{\partial W} = x^T", "RU"),
            (r"\sum_{i=1}^{3}\frac{\partial z}{\partial W} = x^T", "RU"),
            (r"\frac{\partial z}{\partial W} = x^T", "P"),
            (r"\frac{\partial z}{\partial W} = \frac{\partial z}{\partial W}", "UPO"),
        ],
    ),
    (
        {"layers": [("q", "sigmoid"), ("r", "sigmoid")], "inputs": "n", "loss": "squared_error"},
        {},
        [
            (r"2\frac{\partial z^{(1)}}{\partial W^{(1)}} = x^T", "RU"),
            (r"W^{(1)} := W^{(1)} - \alpha \frac{\partial z^{(1)}}{\partial W^{(1)}}", "RU"),
        ],
    ),
    (
        None,
        {},
        [
            (r"\frac{d}{dx}(wx+b)^2 \cdot \frac{d (wx+b)^2}{d(wx+b)} = 0", "RU"),
            (r"\frac{d}{dx}(wx+b)^2 \cdot \frac{d (wx+b)^2}{d(wx+b)} = 4 w (wx+b)^2", "P"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "m x n", "W": "p x n", "x": "n x 1", "w": "n x 1"}},
        [
            (r"f(x) = x^T x", "D"),
            (r"\frac{\partial f}{\partial x} = 2 x", "P"),
            (r"\frac{\partial f}{\partial x} = x", "R"),
        ],
    ),
    (
        None,
        {},
        [
            (r"f(x) = \begin{cases} 0 & x<0 \\ 1 & x>5 \\ 2 & x>7 \end{cases}", "UD"),
            (r"f(3) = 2", "RUO"),
        ],
    ),
    (
        None,
        {},
        [
            (r"f(x) = \begin{cases} -1 & x<-1 \\ 1 & x>1 \\ x & -1 \le x \le 1 \end{cases}", "D"),
            (r"f'(x) = \begin{cases} 0 & x<-1 \\ 0 & x>1 \\ 1 & -1 < x < 1 \end{cases}", "P"),
        ],
    ),
    (
        None,
        {},
        [
            (r"g(x) = \begin{cases} 0 & x<0 \\ x & 0 \le x < 1 \\ 1 & x \ge 1 \end{cases}", "D"),
            (r"g(2) = 1", "P"),
            (r"g(2) = 2", "R"),
        ],
    ),
    (
        None,
        {},
        [
            (r"x^\dagger 2 = x^2", "U"),
            (r"x^\dagger y = x^y", "U"),
        ],
    ),
    (
        None,
        {},
        [
            (r"y = e^{x}", "D"),
            (r"y = 3y - \frac{dy}{dx}", "RU"),
        ],
    ),
    (
        {"layers": [("q", "sigmoid")], "inputs": "n", "loss": "squared_error"},
        {},
        [
            (r"z = z", "P"),
            (r"a = \foo", "U"),
            (r"= \sigma(z)", "U"),
        ],
    ),
    (
        None,
        {"symbols": {"X": "m x n", "W": "p x n", "x": "n x 1", "w": "n x 1"}},
        [
            (r"E(w) = (X w)^T (X w)", "D"),
            (r"x^i = x^i", "UP"),
            (r"\frac{\partial E}{\partial w} = 2 X^T X w", "P"),
        ],
    ),
    (
        None,
        {"symbols": {"a": "n_l x 1", "W": "n_l x n_{l-1}"}},
        [
            (r"a^{(2)} = W^{(2)} a^{(1)}", "D"),
            (r"z = a^{(3)}", "D"),
        ],
    ),
    (
        {"layers": [("q", "sigmoid"), ("r", "sigmoid")], "inputs": "n", "loss": "squared_error"},
        {},
        [
            (r"\underbrace{1}_{= \frac{\partial J}{\partial foo}} z = z", "U"),
        ],
    ),
    (
        {"layers": [("q", "sigmoid")], "inputs": "n", "loss": "squared_error"},
        {},
        [
            (r"W_{k+1} = W_k - \alpha \frac{\partial J}{\partial W} = W - \alpha \delta x^T", "P"),
        ],
    ),
    (
        {"layers": [("q", "sigmoid")], "inputs": "n", "loss": "squared_error"},
        {},
        [
            (r"W \to W - \alpha \frac{\partial J}{\partial W}", "P"),
        ],
    ),
]
