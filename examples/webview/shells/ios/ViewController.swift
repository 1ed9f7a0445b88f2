// The page in a WKWebView: its files are in the app's bundle (folder "www"), served under a scheme of the app's own with
// the types that WebAssembly and modules need. From iOS 16.4, the first with SIMD in WebAssembly; older ones run the
// scalar core. Service workers and Cache Storage need an https page: here the files are on the device anyway.
import UIKit
import WebKit

final class Files: NSObject, WKURLSchemeHandler {
    private let types = [
        "html": "text/html", "js": "text/javascript", "css": "text/css", "wasm": "application/wasm",
        "svg": "image/svg+xml", "png": "image/png", "webmanifest": "application/manifest+json",
    ]

    func webView(_ view: WKWebView, start task: WKURLSchemeTask) {
        let root = Bundle.main.resourceURL!.appendingPathComponent("www").standardizedFileURL
        let path = task.request.url!.path == "/" ? "index.html" : task.request.url!.path
        let file = root.appendingPathComponent(path).standardizedFileURL
        guard file.path.hasPrefix(root.path + "/"), let data = try? Data(contentsOf: file) else {
            return task.didFailWithError(URLError(.fileDoesNotExist))
        }
        let headers = [
            "Content-Type": types[file.pathExtension] ?? "application/octet-stream",
            "Content-Length": String(data.count),
        ]
        task.didReceive(HTTPURLResponse(url: task.request.url!, statusCode: 200, httpVersion: nil, headerFields: headers)!)
        task.didReceive(data)
        task.didFinish()
    }

    func webView(_ view: WKWebView, stop task: WKURLSchemeTask) {}
}

final class ViewController: UIViewController, WKUIDelegate, WKNavigationDelegate {
    private var view_: WKWebView!
    private let start = URL(string: "mote://app/")!

    override func loadView() {
        let configuration = WKWebViewConfiguration()
        configuration.setURLSchemeHandler(Files(), forURLScheme: "mote")
        configuration.allowsInlineMediaPlayback = true
        configuration.mediaTypesRequiringUserActionForPlayback = []
        view_ = WKWebView(frame: .zero, configuration: configuration)
        view_.uiDelegate = self
        view_.navigationDelegate = self
        view = view_
        view_.load(URLRequest(url: start))
    }

    // Info.plist says why: NSCameraUsageDescription, NSMicrophoneUsageDescription
    func webView(_ view: WKWebView, requestMediaCapturePermissionFor origin: WKSecurityOrigin,
                 initiatedByFrame frame: WKFrameInfo, type: WKMediaCaptureType,
                 decisionHandler: @escaping (WKPermissionDecision) -> Void) {
        decisionHandler(origin.protocol == "mote" ? .grant : .deny)
    }

    // mote-runtime lets go of its models at once, and reads them again when they are next run
    override func didReceiveMemoryWarning() {
        super.didReceiveMemoryWarning()
        view_.evaluateJavaScript("dispatchEvent(new Event('memorypressure'))")
    }

    // the system ended the page's process: it starts anew
    func webViewWebContentProcessDidTerminate(_ view: WKWebView) {
        view.load(URLRequest(url: start))
    }
}
