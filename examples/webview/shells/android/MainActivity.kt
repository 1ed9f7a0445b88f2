// The page in an Android WebView: its files are assets of the app, served from an https address of the app's own, so
// that Cache Storage, service workers, Web Workers and the camera work; a file: address would have none of them.
package dev.mote.example

import android.Manifest
import android.os.Bundle
import android.webkit.PermissionRequest
import android.webkit.WebChromeClient
import android.webkit.WebResourceRequest
import android.webkit.WebView
import androidx.activity.ComponentActivity
import androidx.activity.result.contract.ActivityResultContracts
import androidx.webkit.WebViewAssetLoader
import androidx.webkit.WebViewClientCompat

class MainActivity : ComponentActivity() {
    private lateinit var view: WebView
    private var asked: PermissionRequest? = null

    private val permission = registerForActivityResult(ActivityResultContracts.RequestMultiplePermissions()) { given ->
        asked?.let { if (given.values.all { yes -> yes }) it.grant(it.resources) else it.deny() }
        asked = null
    }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        // www/ of build.mjs, copied to app/src/main/assets/www
        val assets = WebViewAssetLoader.Builder()
            .addPathHandler("/", WebViewAssetLoader.AssetsPathHandler(this))
            .build()
        view = WebView(this)
        view.settings.javaScriptEnabled = true
        view.settings.allowFileAccess = false
        view.settings.mediaPlaybackRequiresUserGesture = false
        view.webViewClient = object : WebViewClientCompat() {
            override fun shouldInterceptRequest(view: WebView, request: WebResourceRequest) =
                assets.shouldInterceptRequest(request.url)
        }
        view.webChromeClient = object : WebChromeClient() {
            override fun onPermissionRequest(request: PermissionRequest) = runOnUiThread {
                asked = request
                permission.launch(arrayOf(Manifest.permission.CAMERA, Manifest.permission.RECORD_AUDIO))
            }
        }
        setContentView(view)
        view.loadUrl("https://appassets.androidplatform.net/www/index.html")
    }

    // a page that is not shown stops its timers; mote-runtime lets go of models 30 s later
    override fun onPause() {
        super.onPause()
        view.onPause()
    }

    override fun onResume() {
        super.onResume()
        view.onResume()
    }

    // mote-runtime lets go of its models at once, and reads them again when they are next run
    override fun onTrimMemory(level: Int) {
        super.onTrimMemory(level)
        view.evaluateJavascript("dispatchEvent(new Event('memorypressure'))", null)
    }

    override fun onDestroy() {
        view.destroy()
        super.onDestroy()
    }
}
