"""Pages that define what they use: each line with the verdict that it gets when the lines before it have been read.

D defined, P proved, R refuted, U unread, O left open. Every false line is false by hand, not by what the reader says.
"""

# ruff: noqa: E501

MATRICES = {"X": "n x p", "y": "n x 1", "beta": "p x 1", "A": "p x p", "lambda": "scalar"}
LAYER = {"X": "n x p", "W": "p x k", "L": "loss"}

TABLES: list[tuple[dict[str, str], list[tuple[str, str]]]] = [
    (  # functions with parameters
        {},
        [
            (r"f(x)=\begin{cases}x & x\ge0\\ \alpha x & x<0\end{cases}", "D"),
            (r"f'(x) = \begin{cases} 1 & x > 0 \\ \alpha & x < 0 \end{cases}", "P"),
            (r"f'(x) = \begin{cases} 1 & x > 0 \\ -\alpha & x < 0 \end{cases}", "R"),
        ],
    ),
    (
        {},
        [
            (r"\Phi(x) = \frac12(1+\mathrm{erf}(\frac{x}{\sqrt2}))", "D"),
            (r"\phi(x) = \frac{1}{\sqrt{2\pi}} e^{-x^2/2}", "D"),
            (r"\mathrm{GELU}(x) = x\Phi(x)", "P"),
            (r"\mathrm{GELU}'(x) = \Phi(x) + x\,\phi(x)", "P"),
            (r"\mathrm{GELU}'(x) = \Phi(x) - x\,\phi(x)", "R"),
        ],
    ),
    (
        {},
        [
            (
                r"L(r) = \begin{cases} \frac12 r^2 & |r| \le \delta \\ \delta(|r| - \frac12\delta) & |r| > \delta\end{cases}",
                "D",
            ),
            (
                r"\frac{dL}{dr} = \begin{cases} r & |r| \le \delta \\ \delta\,\operatorname{sign}(r) & |r| > \delta \end{cases}",
                "P",
            ),
            (r"\frac{dL}{dr} = \begin{cases} r & |r| \le \delta \\ \delta & |r| > \delta \end{cases}", "R"),
        ],
    ),
    (
        {},
        [
            (r"G(x) = x^3", "D"),
            (r"G'(x) = 3 x^2", "P"),
            (r"\frac{d^2 G}{dx^2} = 6 x", "P"),
            (r"\frac{d^2 G}{dx^2} = 3 x^2", "R"),
        ],
    ),
    (  # losses of a page, gradients, Hessians
        MATRICES,
        [
            (r"\mathrm{RSS}(\beta) = (y - X\beta)^T(y-X\beta)", "D"),
            (r"\frac{\partial \mathrm{RSS}}{\partial \beta} = -2X^T(y-X\beta)", "P"),
            (r"\frac{\partial \mathrm{RSS}}{\partial \beta} = -X^T(y-X\beta)", "R"),
            (r"\frac{\partial^2 \mathrm{RSS}}{\partial \beta\, \partial \beta^T} = 2X^TX", "P"),
            (r"\nabla^2 \mathrm{RSS}(\beta) = 2XX^T", "R"),
            (r"\nabla\nabla \mathrm{RSS}(\beta) = 2X^TX", "P"),
        ],
    ),
    (  # a prime for the transpose, and a derivative before a product of brackets
        MATRICES,
        [
            (r"\frac{\partial}{\partial \beta}(y-X\beta)'(y-X\beta) = -2X'(y-X\beta)", "P"),
            (r"\frac{\partial}{\partial \beta}(y-X\beta)^T(y-X\beta) = 2X^T(y-X\beta)", "R"),
            (r"\frac{\partial}{\partial \beta}\operatorname{Tr}(\beta\beta^T A) = (A+A^T)\beta", "P"),
            (r"\frac{\partial}{\partial \beta}(\beta - c)^T A (\beta - c) = 2 A (\beta - c)", "U"),
        ],
    ),
    (  # entries
        {"X": "n x p", "y": "n x 1", "beta": "p x 1", "J": "loss"},
        [
            (r"r_i = y_i - \sum_j X_{ij}\beta_j", "D"),
            (r"J = \sum_i r_i^2", "D"),
            (r"\frac{\partial J}{\partial \beta_k} = -2\sum_i r_i X_{ik}", "P"),
            (r"\frac{\partial J}{\partial \beta_k} = -2\sum_i r_i X_{ki}", "R"),
        ],
    ),
    (  # the chain rule through what the page defines, with a loss of which nothing is known
        LAYER,
        [
            (r"Y = X W", "D"),
            (r"\frac{\partial L}{\partial X} = \frac{\partial L}{\partial Y}W^T", "P"),
            (r"\frac{\partial L}{\partial W} = X^T\frac{\partial L}{\partial Y}", "P"),
            (r"\frac{\partial L}{\partial W} = \frac{\partial L}{\partial Y}X^T", "R"),
            (r"\frac{\partial L}{\partial W} = 2 X^T\frac{\partial L}{\partial Y}", "R"),
            (r"\frac{\partial L}{\partial x_{ij}} = \sum_{l=1}^k \frac{\partial L}{\partial y_{il}} w_{jl}", "P"),
            (r"\frac{\partial L}{\partial x_{ij}} = \sum_{l=1}^k \frac{\partial L}{\partial y_{il}} w_{lj}", "R"),
            (r"\frac{\partial^2 L}{\partial x_{11}\partial x_{12}} = 0", "U"),
        ],
    ),
    (
        {"x": "n x 1", "W": "k x n", "b": "k x 1", "L": "loss"},
        [
            (r"z = W x + b", "D"),
            (r"a = \tanh(z)", "D"),
            (r"\frac{\partial L}{\partial z} = \frac{\partial L}{\partial a} \odot (1-a\odot a)", "P"),
            (r"\frac{\partial L}{\partial z} = \frac{\partial L}{\partial a} \odot (1-z\odot z)", "R"),
            (r"\frac{\partial L}{\partial W} = \frac{\partial L}{\partial z} x^T", "P"),
            (r"\frac{\partial L}{\partial x} = W^T \frac{\partial L}{\partial z}", "P"),
            (r"\frac{\partial L}{\partial x} = W \frac{\partial L}{\partial z}", "R"),
        ],
    ),
]

# Network(...) keywords, the layers as (units, activation)
NETWORKS: list[tuple[dict, list[tuple[str, str]]]] = [
    (  # Bishop: letters told by the lines that define them, layers by indices
        {"layers": [("M", "tanh"), ("K", "identity")], "inputs": "D", "loss": "half_squared_error"},
        [
            (r"a_j = \sum_{i=1}^{D} w_{ji}^{(1)} x_i + w_{j0}^{(1)}", "P"),
            (r"z_j = \tanh(a_j)", "P"),
            (r"\delta_k = y_k - t_k", "P"),
            (r"\delta_k = t_k - y_k", "R"),
            (r"\delta_j = (1 - z_j^2) \sum_{k=1}^K w_{kj} \delta_k", "P"),
            (r"\delta_j = (1 - z_j^2) \sum_{k=1}^K w_{jk} \delta_k", "U"),
            (r"\delta_j = (1 - a_j^2) \sum_{k=1}^K w_{kj} \delta_k", "R"),
            (r"\frac{\partial E}{\partial w_{ji}^{(1)}} = \delta_j x_i", "P"),
            (r"\frac{\partial E}{\partial w_{kj}^{(2)}} = \delta_k z_j", "P"),
            (r"\frac{\partial E}{\partial w_{kj}^{(2)}} = \delta_k a_j", "R"),
        ],
    ),
    (  # one hidden layer h, rows
        {
            "layers": [("H", "sigmoid"), ("D_y", "softmax")],
            "inputs": "D_x",
            "loss": "cross_entropy",
            "samples": "rows",
            "weights": "in x out",
        },
        [
            (r"h = \mathrm{sigmoid}(xW_1 + b_1)", "P"),
            (r"\frac{\partial J}{\partial W_2} = h^\top (\hat y - y)", "P"),
            (r"\frac{\partial J}{\partial W_2} = h^\top (y - \hat y)", "R"),
            (r"\frac{\partial J}{\partial x} = [ (\hat y - y) W_2^\top \circ h \circ (1 - h) ] W_1^\top", "P"),
            (r"\frac{\partial J}{\partial x} = [ (\hat y - y) W_2^\top \circ (1 - h) ] W_1^\top", "R"),
        ],
    ),
    (  # linear regression: a lower-case vector of all targets, samples as rows
        {
            "layers": [(1, "identity", False)],
            "inputs": "d",
            "loss": "half_squared_error",
            "batch": "n",
            "samples": "rows",
            "weights": "in x out",
        },
        [
            (r"\nabla_w J = \frac{1}{n} X^T(Xw - y)", "P"),
            (r"\nabla_w J = \frac{2}{n} X^T(Xw - y)", "R"),
            (r"\nabla_w J = \frac{1}{n} X^T(y - Xw)", "R"),
            (
                r"\frac{\partial J}{\partial w_j} = \frac1n \sum_{i=1}^n \Bigl(\sum_{k=1}^d w_k x_{ik} - y_i\Bigr) x_{ij}",
                "P",
            ),
            (
                r"\frac{\partial J}{\partial w_j} = \frac1n \sum_{i=1}^n \Bigl(\sum_{k=1}^d w_k x_{ik} - y_i\Bigr) x_{ji}",
                "R",
            ),
            (r"\nabla^2_w J = \frac1n X^T X", "P"),
            (r"\nabla^2_w J = X^T X", "R"),
            (r"w_{t+1} = w_t - \eta \frac{1}{n} X^T(Xw_t - y)", "P"),
            (r"w_{t+1} = w_t + \eta \frac{1}{n} X^T(Xw_t - y)", "R"),
        ],
    ),
    (  # Nielsen: sums over the samples x
        {
            "layers": [(1, "sigmoid", False)],
            "inputs": "n_0",
            "loss": "binary_cross_entropy",
            "batch": "n",
        },
        [
            (r"C = -\frac{1}{n} \sum_x \left[y \ln a + (1-y ) \ln (1-a) \right]", "P"),
            (r"\frac{\partial C}{\partial w_j} =  \frac{1}{n} \sum_x x_j(\sigma(z)-y)", "P"),
            (r"\frac{\partial C}{\partial w_j} =  \frac{1}{n} \sum_x x_j(y-\sigma(z))", "R"),
            (r"C = \frac1n\sum_x C_x", "P"),
            (r"h_\theta(x) = \frac{1}{1+e^{-\theta^T x}}", "R SBP319"),
        ],
    ),
    (  # running values
        {
            "layers": [("n_1", "tanh"), ("n_2", "tanh")],
            "inputs": "n_0",
            "loss": "squared_error",
            "batch": "m",
            "l2": "lambda",
        },
        [
            (r"v \leftarrow \beta v + (1-\beta) \frac{\partial J}{\partial W^{(1)}}", "D"),
            (r"W^{(1)} \leftarrow W^{(1)} - \alpha v", "D"),
            (r"W^{(1)}_{t+1} = W^{(1)}_t - \eta\left(\Delta^{(1)}X^T + \lambda W^{(1)}_t\right)", "P"),
            (r"W^{(1)}_{t+1} = W^{(1)}_t - \eta\left(\Delta^{(1)}X^T - \lambda W^{(1)}_t\right)", "R"),
            (r"J = \frac1m \sum_{i=1}^m \|a^{(2)(i)} - y^{(i)}\|^2 + \frac{\lambda}{2}\sum_l \|W^{(l)}\|_F^2", "P"),
            (r"db^{(2)} = np.sum(dZ^{(2)}, axis = 1, keepdims = True)", "P"),
            (r"db^{(2)} = np.sum(dZ^{(2)}, axis = 0, keepdims = True)", "R"),
        ],
    ),
    (  # softmax: maxima that cancel, sums that are 0, samples
        {"layers": [("K", "softmax")], "inputs": "n", "loss": "cross_entropy"},
        [
            (r"p_i = \frac{e^{z_i - \max_k z_k}}{\sum_{j} e^{z_j-\max_k z_k}}", "P"),
            (r"p_i = \frac{e^{z_i - \max_k z_k}}{\sum_{j} e^{z_j}}", "O"),
            (r"\sum_{i=1}^{K}\frac{\partial p_i}{\partial z_j} = 0", "P"),
            (r"\sum_{i=1}^{K}\frac{\partial p_i}{\partial z_j} = 1", "R"),
            (r"\delta_{ij}p_i = \delta_{ij} p_j", "P"),
            (r"\frac{\partial J}{\partial z_j} = \sum_{i \neq j} y_i p_j - y_j (1-p_j)", "P"),
            (r"z_j = W_{j1} x_1 + W_{j2} x_2 + \dots + W_{jn} x_n + b_j", "P"),
            (r"z_j = W_{1j} x_1 + W_{2j} x_2 + \dots + W_{nj} x_n + b_j", "R"),
        ],
    ),
    (  # activations by name, whatever the arrays are
        {"layers": [("n_1", "tanh"), (1, "sigmoid")], "inputs": "n_0", "loss": "binary_cross_entropy"},
        [
            (r"\sigma'(z) = \sigma(z)(1-\sigma(z))", "P"),
            (r"g'(z) = 1 - g(z)^2", "U SBP103"),
            (r"g'(z) = 1 + g(z)^2", "R"),
            (r"\frac{\partial J}{\partial W_2} = (\hat{y} - y) h^T", "P"),
            (r"\frac{\partial J}{\partial W_2} = (\hat{y} - y) h", "R"),
            (r"\frac{\partial J}{\partial W_1} = \left(W_2^T (\hat{y} - y) \odot (1 - h^2)\right) x^T", "P"),
        ],
    ),
    (  # weights by another letter
        {
            "layers": [(1, "identity", False)],
            "inputs": "d",
            "loss": "half_squared_error",
            "batch": "n",
            "samples": "rows",
            "weights": "in x out",
        },
        [
            (r"\nabla_\theta J = \frac1n X^T(X\theta - y)", "P"),
            (r"\theta_j := \theta_j - \alpha \frac1n\sum_{i=1}^n (h_\theta(x^{(i)}) - y^{(i)}) x^{(i)}_j", "P"),
            (r"\theta_j := \theta_j - \alpha \frac1n\sum_{i=1}^n (h_\theta(x^{(i)}) - y^{(i)}) x^{(j)}_i", "R"),
        ],
    ),
]
